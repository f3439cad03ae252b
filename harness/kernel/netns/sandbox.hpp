#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"

namespace plumbline::kernel {

/// Where the nodes' names live inside a sandbox.
inline constexpr const char* kNetnsDirectory = "/run/netns";

/// True in the process that a sandbox was started with (not in its children: they are not its pid 1).
bool in_sandbox() noexcept;

/// A process inside new user (when not privileged), mount, network and pid namespaces, and all that it
/// starts. There /proc and /sys are the new namespaces' own, and /run is a private tmpfs that shows what the
/// old one held, but for an empty netns/ (and no xtables.lock): nothing is created outside. When the process
/// that started it dies, by SIGKILL too, everything inside dies with it; so it does when this object ends
/// before it has been waited for.
class Sandbox {
 public:
  /// What is done inside, by a copy of the calling process: its exit status. It is pid 1 there, for which the
  /// kernel ignores signals without a handler. It begins with the caller's signal mask. An exception is told
  /// to the process outside (`failure`).
  using Program = std::function<int()>;

  /// Starts `program`, and returns once it would die with this process. To be called while the process has
  /// one thread. Throws Error of kind environment, with the remedy, where the kernel refuses the namespaces.
  static Sandbox start(const Program& program);

  Sandbox(Sandbox&& other) noexcept;
  Sandbox& operator=(Sandbox&&) = delete;
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();  ///< kills what still runs, and waits for it

  pid_t pid() const noexcept { return pid_; }
  /// Readable once it has ended.
  int ended_fd() const noexcept { return pidfd_.get(); }
  /// Waits until the sandbox stands and the program begins. Throws Error of kind environment, with the
  /// remedy, where the kernel refused to set it up.
  void wait_until_set_up();
  /// Passes a signal on. `from_terminal`: the terminal has already sent it to the whole process group. One
  /// that the program has no handler for ends it all the same.
  void signal(int number, bool from_terminal);
  void kill() noexcept;
  /// Waits for its end: the exit status, or 128+N for signal N.
  int wait();
  /// After its end: why it did not get as far as the program, or what that threw.
  std::optional<Error> failure();

 private:
  Sandbox(pid_t pid, Fd pidfd, Fd control);

  pid_t pid_;  ///< 0: moved from, or waited for
  Fd pidfd_;
  Fd control_;  ///< its other end is the program's (sandbox_control.hpp)
  bool set_up_ = false;
  int ended_by_ = 0;  ///< the signal that pid 1 would have ignored, for which it was killed
  std::optional<Error> failure_;
};

/// Re-executes this program (/proc/self/exe, same arguments and environment) in a sandbox. Waits for it,
/// passes SIGINT, SIGTERM and SIGHUP on, and returns its exit status (128+N for signal N). Throws Error of
/// kind environment, with the remedy, where the kernel refuses. To be called while the process has one
/// thread.
int reexec_in_sandbox(int argc, char** argv);

}  // namespace plumbline::kernel
