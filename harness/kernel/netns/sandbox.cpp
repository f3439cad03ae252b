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
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/sandbox_mounts.hpp"
#include "harness/kernel/netns/sandbox_outside.hpp"

namespace plumbline::kernel {
namespace {

constexpr const char* kMarker = "PLUMBLINE_SANDBOX";
constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID;

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

/// What the child needs to know of the time before it was cloned.
struct Origin {
  char** argv;
  uid_t uid;
  gid_t gid;
  sigset_t signals;  ///< the mask to restore
  int channel;       ///< the child's end: hears of the parent's death, tells its own failure
  int parent_channel;
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

void die_with_parent(const Origin& origin) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw Error::from_errno(errno, "prctl(PR_SET_PDEATHSIG)");
  // A parent that died before that sends nothing, and getppid() is 0 in a new pid namespace either way; but
  // its end of the channel is closed.
  pollfd channel{origin.channel, POLLIN, 0};
  if (::poll(&channel, 1, 0) != 0) ::_exit(128 + SIGKILL);
}

void enter_program(const Origin& origin) {
  if (origin.user_namespace) become_root(origin);
  die_with_parent(origin);
  mount_sandbox();
  const std::optional<std::string> mark = fingerprint();
  if (!mark || ::setenv(kMarker, mark->c_str(), 1) != 0) {
    throw Error::from_errno(errno, "reading the sandbox's own namespaces in /proc/self/ns");
  }
  ::sigprocmask(SIG_SETMASK, &origin.signals, nullptr);
  ::execv("/proc/self/exe", origin.argv);
  throw Error::from_errno(errno, "executing /proc/self/exe in the sandbox");
}

int run_child(void* argument) {
  const Origin& origin = *static_cast<Origin*>(argument);
  ::close(origin.parent_channel);
  try {
    enter_program(origin);
  } catch (const Error& error) {
    send_failure(origin.channel, error);
  } catch (const std::exception& error) {
    send_failure(origin.channel, Error(error.what()));
  }
  ::_exit(1);
}

pid_t clone_child(Origin& origin) {
  // clone(2) as fork with namespaces: the stack is the child's copy of this memory.
  std::vector<char> stack(std::size_t{512} * 1024);
  char* const top = stack.data() + stack.size();
  const auto attempt = [&](bool user_namespace) {
    origin.user_namespace = user_namespace;
    const int flags = kNamespaces | SIGCHLD | (user_namespace ? CLONE_NEWUSER : 0);
    return ::clone(run_child, top, flags, &origin);
  };
  const bool privileged = is_privileged();
  pid_t child = attempt(!privileged);
  const int refusal = errno;
  // Privileged, but refused all the same: a container's rules may still allow it in a user namespace.
  if (child < 0 && privileged) child = attempt(true);
  if (child < 0) throw namespaces_refused(refusal);
  return child;
}

}  // namespace

bool in_sandbox() noexcept {
  const char* mark = std::getenv(kMarker);
  return mark != nullptr && ::getpid() == 1 && fingerprint() == mark;
}

int reexec_in_sandbox(int /*argc*/, char** argv) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error::from_errno(errno, "making a socket pair");
  }
  const Fd outside(ends[0]);
  Fd inside(ends[1]);
  ForwardedSignals signals;
  Origin origin{argv, ::geteuid(), ::getegid(), signals.before(), inside.get(), outside.get(), false};
  const pid_t child = clone_child(origin);
  inside.reset();
  const std::optional<Error> failure = receive_failure(outside.get());
  const int status = signals.wait_for(child);
  if (failure) throw *failure;
  return status;
}

}  // namespace plumbline::kernel
