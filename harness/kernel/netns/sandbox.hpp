#pragma once

namespace plumbline::kernel {

/// Where the nodes' names live inside the sandbox.
inline constexpr const char* kNetnsDirectory = "/run/netns";

/// True in the process that reexec_in_sandbox started (not in its children: they are not its pid 1).
bool in_sandbox() noexcept;

/// Re-executes this program (/proc/self/exe, same arguments and environment) inside new user (when not
/// privileged), mount, network and pid namespaces. There /proc and /sys are the new namespaces' own, and /run
/// is a private tmpfs that shows what the old one held, but for an empty netns/ (and no xtables.lock):
/// nothing is created outside. Waits for it, passes SIGINT, SIGTERM and SIGHUP on, and returns its exit
/// status (128+N for signal N). The program inside is pid 1, for which the kernel ignores signals without a
/// handler; such a signal ends it all the same. When this process dies, by SIGKILL too, everything inside
/// dies with it. To be called while the process has one thread. Throws Error of kind environment, with the
/// remedy, where the kernel refuses.
int reexec_in_sandbox(int argc, char** argv);

}  // namespace plumbline::kernel
