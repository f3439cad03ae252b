#pragma once

namespace plumbline::kernel {

/// Rebuilds what the new mount namespace of the sandbox shows: private mounts, /proc and /sys of the new pid
/// and network namespaces, a private /run. Throws Error.
void mount_sandbox();

}  // namespace plumbline::kernel
