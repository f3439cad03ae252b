#pragma once

namespace plumbline::kernel {

/// Where the nodes' names live inside the sandbox.
inline constexpr const char* kNetnsDirectory = "/run/netns";

/// True in the process that reexec_in_sandbox started.
bool in_sandbox() noexcept;

/// Re-executes this program (/proc/self/exe, same arguments and environment) inside new user (when not
/// privileged), mount, network and pid namespaces; /run/netns there is a private, empty tmpfs. Waits for it,
/// passes SIGINT and SIGTERM on, and returns its exit status (128+N for signal N).
/// When this process dies, by SIGKILL too, everything inside dies with it.
/// Throws Error of kind environment, with the remedy, where the kernel refuses.
int reexec_in_sandbox(int argc, char** argv);

}  // namespace plumbline::kernel
