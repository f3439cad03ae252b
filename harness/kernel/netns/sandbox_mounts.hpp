#pragma once

#include "harness/base/fd.hpp"

namespace plumbline::kernel {

/// Private to this folder: a copy of the mounts at `name` below `from` appears at `name` below `to`. By
/// descriptors, so that it does not matter what has been mounted over `from` meanwhile. Recursive: in a user
/// namespace the kernel refuses to uncover what a mount hides. False: refused.
bool graft(const Fd& from, const Fd& to, const char* name);

/// Rebuilds what the new mount namespace of the sandbox shows: private mounts, /proc and /sys of the new pid
/// and network namespaces, a private /run. Throws Error.
void mount_sandbox();

}  // namespace plumbline::kernel
