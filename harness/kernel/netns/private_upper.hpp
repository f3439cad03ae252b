#pragma once

#include <string>

/// Private to this folder: overlays whose upper layers are in the sandbox's own /run, which ends with it.
namespace plumbline::kernel {

inline constexpr const char* kUppers = "/run/plumbline-upper";

/// Throws Error where we are in no sandbox, or where its /run is not its own.
void require_uppers();
/// Covers `folder` in the mount namespace of the calling thread, with an upper layer in `base`/upper, which
/// is made where it is not there. Throws Error.
void mount_upper(const std::string& folder, const std::string& base);

}  // namespace plumbline::kernel
