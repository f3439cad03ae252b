#pragma once

#include <optional>
#include <string>

/// Private to this folder.
namespace plumbline::network {

/// Of a program in ELF, whether it needs no loader and no library; absent: there is none at `path`.
std::optional<bool> is_static(const std::string& path);

/// A root file system with nothing but busybox, as a tar: /bin/busybox, a link from /bin/sh, and folders to
/// mount on. Throws Error where `busybox` cannot be read.
std::string image_tar(const std::string& busybox);

}  // namespace plumbline::network
