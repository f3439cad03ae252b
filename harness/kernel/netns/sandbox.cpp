#include "harness/kernel/netns/sandbox.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/sandbox_control.hpp"
#include "harness/kernel/netns/sandbox_mounts.hpp"
#include "harness/kernel/netns/signals.hpp"

namespace plumbline::kernel {
namespace {

constexpr const char* kMarker = "PLUMBLINE_SANDBOX";
/// Host name and System V objects too: a user's script may change what it finds.
constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;

/// The inodes of the own mount and network namespaces. As the marker's value they make it worthless in any
/// other place that inherits it.
std::optional<std::string> fingerprint() noexcept {
  struct stat mounts {};
  struct stat network {};
  if (::stat("/proc/self/ns/mnt", &mounts) != 0 || ::stat("/proc/self/ns/net", &network) != 0) return {};
  return fmt::format("mnt:{},net:{}", mounts.st_ino, network.st_ino);
}

/// Whether namespaces can be made, configured and listened in without a user namespace. It takes uid 0 as
/// well: tools inside ask for it, and executing a file with capabilities clears the parent-death signal.
bool is_privileged() noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::geteuid() != 0 || ::syscall(SYS_capget, &header, data.data()) != 0) return false;
  for (const int capability : {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW}) {
    const __user_cap_data_struct& word = data[static_cast<std::size_t>(CAP_TO_INDEX(capability))];
    if ((word.effective & CAP_TO_MASK(capability)) == 0) return false;
  }
  return true;
}

/// Who made the child, as it was before.
struct Origin {
  uid_t uid;
  gid_t gid;
  bool user_namespace;
};

void write_file(const char* path, const std::string& text) {
  const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw Error::from_errno(errno, fmt::format("writing {}", path)).with_kind(ErrorKind::environment);
  }
}

void become_root(const Origin& origin) {
  // Without CAP_SETGID outside, gid_map may only be written once setgroups(2) is given up.
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("0 {} 1", origin.uid));
  write_file("/proc/self/gid_map", fmt::format("0 {} 1", origin.gid));
}

void die_with_parent(int control) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw Error::from_errno(errno, "prctl(PR_SET_PDEATHSIG)");
  // A parent that died before that sends nothing, and getppid() is 0 in a new pid namespace either way; but
  // its end of the channel is closed: the kernel closes the descriptors of a dying process before it tells
  // its children. No other child holds that end, because the parent makes none until it has heard of this
  // one.
  pollfd channel{control, POLLIN, 0};
  if (::poll(&channel, 1, 0) != 0) ::_exit(128 + SIGKILL);
}

int enter_program(const Origin& origin, int control, const Sandbox::Program& program) {
  if (origin.user_namespace) become_root(origin);
  die_with_parent(control);
  tell_stage(control, Stage::tied);
  mount_sandbox();
  const std::optional<std::string> mark = fingerprint();
  if (!mark || ::setenv(kMarker, mark->c_str(), 1) != 0) {
    throw Error::from_errno(errno, "reading the sandbox's own namespaces in /proc/self/ns");
  }
  tell_stage(control, Stage::set_up);
  return program();
}

/// Static objects' destructors run (a sanitizer looks for leaks then), those of the parent's copied stack do
/// not: what it had begun to write, for instance, is its own.
[[noreturn]] void run_child(const Origin& origin, int control, const Sandbox::Program& program) {
  int status = EXIT_FAILURE;
  try {
    status = enter_program(origin, control, program);
  } catch (const Error& error) {
    tell_failure(control, error);
  } catch (const std::exception& error) {
    tell_failure(control, Error(error.what()));
  }
  std::exit(status);
}

/// fork(2) with namespaces: 0 in the child, which goes on with a copy of this memory and stack. glibc's
/// wrapper wants another stack for that.
pid_t fork_with(int flags, int* pidfd) {
  return static_cast<pid_t>(
      ::syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, nullptr, pidfd, nullptr, nullptr));
}

/// 0 in the child.
pid_t fork_child(Origin& origin, int* pidfd) {
  const auto attempt = [&](bool user_namespace) {
    origin.user_namespace = user_namespace;
    return fork_with(kNamespaces | (user_namespace ? CLONE_NEWUSER : 0), pidfd);
  };
  const bool privileged = is_privileged();
  pid_t child = attempt(!privileged);
  const int refusal = errno;
  // Privileged, but refused all the same: a container's rules may still allow it in a user namespace.
  if (child < 0 && privileged) child = attempt(true);
  if (child < 0) throw namespaces_refused(refusal);
  return child;
}

/// The signals in the line `field` of /proc/PID/status ("SigCgt:"), a bit each; absent when unreadable.
std::optional<std::uint64_t> signals_of(pid_t pid, std::string_view field) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, field.size(), field) == 0) return std::stoull(line.substr(field.size()), nullptr, 16);
  }
  return std::nullopt;
}

/// Whether `pid` has decided what signal `number` shall do to it.
bool heeds(pid_t pid, int number) {
  for (const char* field : {"SigCgt:", "SigIgn:"}) {
    const auto signals = signals_of(pid, field);
    if (!signals || ((*signals >> (number - 1)) & 1U) != 0) return true;
  }
  return false;
}

[[noreturn]] void execute(char** argv, const sigset_t& mask) {
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execv("/proc/self/exe", argv);
  throw Error::from_errno(errno, "executing /proc/self/exe in the sandbox");
}

}  // namespace

bool in_sandbox() noexcept {
  const char* mark = std::getenv(kMarker);
  return mark != nullptr && ::getpid() == 1 && fingerprint() == mark;
}

Sandbox Sandbox::start(const Program& program) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error::from_errno(errno, "making a socket pair");
  }
  Fd outside(ends[0]);
  Fd inside(ends[1]);
  Origin origin{::geteuid(), ::getegid(), false};
  std::fflush(nullptr);  // what is buffered would be written by both
  int pidfd = -1;
  const pid_t child = fork_child(origin, &pidfd);
  if (child == 0) {
    outside.reset();
    run_child(origin, inside.get(), program);
  }
  inside.reset();
  Sandbox sandbox(child, Fd(pidfd), std::move(outside));
  const Stage stage = next_stage(sandbox.control_.get());
  if (stage == Stage::failed) throw read_failure(sandbox.control_.get());
  return sandbox;
}

Sandbox::Sandbox(pid_t pid, Fd pidfd, Fd control)
    : pid_(pid), pidfd_(std::move(pidfd)), control_(std::move(control)) {}

Sandbox::Sandbox(Sandbox&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      control_(std::move(other.control_)),
      set_up_(other.set_up_),
      ended_by_(other.ended_by_),
      failure_(std::move(other.failure_)) {}

Sandbox::~Sandbox() {
  if (pid_ == 0) return;
  kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Sandbox::wait_until_set_up() {
  if (set_up_) return;
  set_up_ = true;
  if (next_stage(control_.get()) != Stage::failed) return;
  failure_ = read_failure(control_.get());
  throw Error(*failure_);
}

std::optional<Error> Sandbox::failure() {
  while (!failure_) {
    const Stage stage = next_stage(control_.get());
    if (stage == Stage::ended) break;
    if (stage == Stage::failed) failure_ = read_failure(control_.get());
  }
  return failure_;
}

void Sandbox::signal(int number, bool from_terminal) {
  if (pid_ == 0) return;
  if (!heeds(pid_, number)) {
    // To pid 1 the default action of a signal is nothing; to everyone who sends it, it is the end.
    ended_by_ = number;
    kill();
  } else if (!from_terminal) {
    ::kill(pid_, number);
  }
}

void Sandbox::kill() noexcept {
  if (pid_ != 0) ::kill(pid_, SIGKILL);
}

int Sandbox::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) throw Error::from_errno(errno, "waiting for the sandbox");
  }
  pid_ = 0;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return 128 + (ended_by_ != 0 ? ended_by_ : WTERMSIG(status));
}

int reexec_in_sandbox(int /*argc*/, char** argv) {
  HeldSignals signals;
  Sandbox sandbox = Sandbox::start([&]() -> int { execute(argv, signals.before()); });
  for (;;) {
    std::array<pollfd, 2> awaited{{{signals.fd(), POLLIN, 0}, {sandbox.ended_fd(), POLLIN, 0}}};
    if (::poll(awaited.data(), awaited.size(), -1) < 0 && errno != EINTR) {
      throw Error::from_errno(errno, "waiting for the sandbox");
    }
    while (const auto signal = signals.next()) sandbox.signal(signal->number, signal->from_terminal);
    if (awaited[1].revents != 0) break;
  }
  const int status = sandbox.wait();
  if (const auto failure = sandbox.failure()) throw Error(*failure);
  return status;
}

}  // namespace plumbline::kernel
