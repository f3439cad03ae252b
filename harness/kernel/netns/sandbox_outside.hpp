#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>

#include "harness/base/error.hpp"

namespace plumbline::kernel {

/// clone(2) refused with `error_number`: what this machine forbids, and the remedy.
Error namespaces_refused(int error_number);

/// The child's side of the channel: tells the parent why it did not get as far as the program.
void send_failure(int channel, const Error& error) noexcept;
/// The parent's side: waits until the child has executed the program (absent) or failed.
std::optional<Error> receive_failure(int channel);

/// The signals of the outer process that are meant for the program inside: held back while this lives, to be
/// passed on by wait_for.
class ForwardedSignals {
 public:
  ForwardedSignals();
  ForwardedSignals(const ForwardedSignals&) = delete;
  ForwardedSignals& operator=(const ForwardedSignals&) = delete;
  ~ForwardedSignals();

  /// The signal mask as it was.
  const sigset_t& before() const noexcept { return before_; }
  /// Waits for `child` to end; its exit status, or 128+N for signal N.
  int wait_for(pid_t child);

 private:
  void pass_on(pid_t child, const siginfo_t& signal);

  sigset_t held_{};
  sigset_t before_{};
  struct sigaction child_action_ {};
  int ended_by_ = 0;  ///< the signal that pid 1 would have ignored, for which it was killed
};

}  // namespace plumbline::kernel
