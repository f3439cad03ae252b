#include "harness/cli/turn.hpp"

#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>

namespace plumbline::cli {
namespace {

constexpr std::string_view kName = "plumbline-validate";
constexpr int kBacklog = 64;
constexpr int kAttempts = 1000;

struct Name {
  sockaddr_un address{};
  socklen_t size = 0;

  Name() {
    address.sun_family = AF_UNIX;
    std::ranges::copy(kName, address.sun_path + 1);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + kName.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Fd unix_socket() {
  return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/// False: it is nobody who could have a turn.
bool await_end_of(const Fd& other) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(other.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  if (!known || (peer.uid != 0 && peer.uid != ::geteuid())) {
    spdlog::warn(
        "a process of another user's has the name by which validate takes turns: it is not waited for");
    return false;
  }
  spdlog::warn(
      "another plumbline validates here (process {}), whose listeners would be taken for services of this "
      "host's: waiting for its end",
      peer.pid);
  char nothing = 0;
  while (::read(other.get(), &nothing, 1) < 0 && errno == EINTR) {
  }
  return true;
}

}  // namespace

Fd take_turn() {
  const Name name;
  for (int attempt = 0; attempt < kAttempts;) {
    Fd own = unix_socket();
    if (!own) return {};
    if (::bind(own.get(), name.get(), name.size) == 0) {
      if (::listen(own.get(), kBacklog) != 0) return {};
      return own;
    }
    if (errno != EADDRINUSE) return {};
    const Fd other = unix_socket();
    if (!other) return {};
    if (::connect(other.get(), name.get(), name.size) != 0) {
      // It has ended meanwhile, or does not listen yet.
      ++attempt;
      static_cast<void>(::sched_yield());
      continue;
    }
    if (!await_end_of(other)) return {};
  }
  return {};
}

}  // namespace plumbline::cli
