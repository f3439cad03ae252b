#include "harness/kernel/netns/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/error.hpp"

namespace plumbline::kernel {

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    sigaddset(&held_, number);
  }
  fd_ = Fd(::signalfd(-1, &held_, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) throw Error::from_errno(errno, "making a descriptor for signals");
  ::sigprocmask(SIG_BLOCK, &held_, &before_);
  // An inherited SIG_IGN would make the kernel throw children's statuses away.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &standard, &child_action_);
}

HeldSignals::~HeldSignals() {
  ::sigaction(SIGCHLD, &child_action_, nullptr);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<HeldSignals::Signal> HeldSignals::next() {
  signalfd_siginfo signal{};
  if (::read(fd_.get(), &signal, sizeof signal) != sizeof signal) return std::nullopt;
  return Signal{static_cast<int>(signal.ssi_signo), signal.ssi_code == SI_KERNEL};
}

}  // namespace plumbline::kernel
