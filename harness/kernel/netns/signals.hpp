#pragma once

#include <csignal>
#include <optional>

#include "harness/base/fd.hpp"

namespace plumbline::kernel {

/// SIGINT, SIGTERM and SIGHUP, as far as they are not ignored (nohup): blocked while this lives and read from
/// a descriptor instead. The statuses of children are kept meanwhile even where SIGCHLD was ignored.
class HeldSignals {
 public:
  HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals();

  struct Signal {
    int number = 0;
    bool from_terminal = false;  ///< the terminal sent it to the whole foreground process group
  };

  /// Readable while a signal is pending.
  int fd() const noexcept { return fd_.get(); }
  /// The next one that is pending.
  std::optional<Signal> next();
  /// Those that are held.
  const sigset_t& held() const noexcept { return held_; }
  /// The mask as it was, for what is executed by a child.
  const sigset_t& before() const noexcept { return before_; }

 private:
  sigset_t held_{};
  sigset_t before_{};
  struct sigaction child_action_ {};
  Fd fd_;
};

}  // namespace plumbline::kernel
