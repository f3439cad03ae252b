#include "harness/kernel/netns/sandbox_outside.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace plumbline::kernel {
namespace {

constexpr const char* kContainer = "in a container, run it with --privileged";

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The remedy that this machine's own settings suggest.
std::string remedy_for(int error_number) {
  if (first_line("/proc/sys/kernel/unprivileged_userns_clone") == "0") {
    return "sysctl -w kernel.unprivileged_userns_clone=1, or run it as root";
  }
  if (first_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1") {
    return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run it as root";
  }
  for (const char* kind : {"user", "mnt", "net", "pid"}) {
    const std::string name = fmt::format("max_{}_namespaces", kind);
    if (first_line("/proc/sys/user/" + name) == "0") return fmt::format("sysctl -w user.{}=10000", name);
  }
  if (error_number == ENOSPC || error_number == EUSERS) {
    return "raise the sysctls user.max_{user,mnt,net,pid}_namespaces, one of which is used up";
  }
  if (error_number == EINVAL) return "use a kernel with CONFIG_USER_NS, CONFIG_NET_NS and CONFIG_PID_NS";
  const std::string remedy =
      fmt::format("{} (its seccomp filter refuses namespaces); a plain chroot cannot have them", kContainer);
  return ::geteuid() == 0 ? remedy : remedy + "; elsewhere, run it as root";
}

/// The bit of signal `number` in the line `field` of /proc/PID/status ("SigCgt:"); absent when unreadable.
std::optional<bool> has_signal(pid_t pid, std::string_view field, int number) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, field.size(), field) != 0) continue;
    const std::uint64_t mask = std::stoull(line.substr(field.size()), nullptr, 16);
    return ((mask >> (number - 1)) & 1U) != 0;
  }
  return std::nullopt;
}

}  // namespace

Error namespaces_refused(int error_number) {
  return Error::from_errno(error_number, "creating user, mount, network and pid namespaces")
      .with_kind(ErrorKind::environment)
      .with_remedy(remedy_for(error_number));
}

// On the wire: kind, errno, the length of the message, the message, the remedy. Both ends are this program.
void send_failure(int channel, const Error& error) noexcept {
  const std::string_view message = error.what();
  const std::string& remedy = error.remedy();
  std::array<std::int32_t, 3> head{static_cast<std::int32_t>(error.kind()), error.error_number(),
                                   static_cast<std::int32_t>(message.size())};
  // A parent that is gone kills this process anyway.
  if (::send(channel, head.data(), sizeof head, MSG_NOSIGNAL) < 0) return;
  if (::send(channel, message.data(), message.size(), MSG_NOSIGNAL) < 0) return;
  if (!remedy.empty() && ::send(channel, remedy.data(), remedy.size(), MSG_NOSIGNAL) < 0) return;
}

std::optional<Error> receive_failure(int channel) {
  std::string all;
  std::array<char, 1024> chunk{};
  for (;;) {
    const ssize_t got = ::recv(channel, chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    all.append(chunk.data(), static_cast<std::size_t>(got));
  }
  std::array<std::int32_t, 3> head{};
  if (all.size() < sizeof head) return std::nullopt;
  std::memcpy(head.data(), all.data(), sizeof head);
  const std::string text = all.substr(sizeof head);
  const auto length = static_cast<std::size_t>(head[2]);
  if (length > text.size()) return Error("the sandbox could not be set up");
  const Error error(text.substr(0, length), static_cast<ErrorKind>(head[0]), head[1]);
  if (error.kind() != ErrorKind::environment) return error;
  const std::string remedy = text.substr(length);
  return error.with_remedy(remedy.empty() ? remedy_for(head[1]) : remedy);
}

ForwardedSignals::ForwardedSignals() {
  sigemptyset(&held_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // One that is ignored (nohup) stays so, here and inside.
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    sigaddset(&held_, number);
  }
  sigaddset(&held_, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &held_, &before_);
  // An inherited SIG_IGN would make the kernel throw the child's status away.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &standard, &child_action_);
}

ForwardedSignals::~ForwardedSignals() {
  ::sigaction(SIGCHLD, &child_action_, nullptr);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void ForwardedSignals::pass_on(pid_t child, const siginfo_t& signal) {
  const int number = signal.si_signo;
  const bool caught = has_signal(child, "SigCgt:", number).value_or(true);
  const bool ignored = has_signal(child, "SigIgn:", number).value_or(false);
  if (!caught && !ignored) {
    // To pid 1 the default action of a signal is nothing; to everyone who sends it, it is the end.
    ended_by_ = number;
    ::kill(child, SIGKILL);
    return;
  }
  // The terminal has already sent it to the whole process group, the child included.
  if (signal.si_code != SI_KERNEL) ::kill(child, number);
}

int ForwardedSignals::wait_for(pid_t child) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) throw Error::from_errno(errno, "waiting for the sandbox");
    if (ended == child) {
      if (WIFEXITED(status)) return WEXITSTATUS(status);
      return 128 + (ended_by_ != 0 ? ended_by_ : WTERMSIG(status));
    }
    siginfo_t signal{};
    const int number = ::sigwaitinfo(&held_, &signal);
    if (number > 0 && number != SIGCHLD) pass_on(child, signal);
  }
}

}  // namespace plumbline::kernel
