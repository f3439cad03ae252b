#include "harness/kernel/netns/sandbox_control.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
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

}  // namespace

Error namespaces_refused(int error_number) {
  return Error::from_errno(error_number, "creating user, mount, network and pid namespaces")
      .with_kind(ErrorKind::environment)
      .with_remedy(remedy_for(error_number));
}

void tell_stage(int control, Stage stage) noexcept {
  const char byte = static_cast<char>(stage);
  if (::send(control, &byte, 1, MSG_NOSIGNAL) != 1) return;
}

// On the wire: kind, errno, the length of the message, the message, the remedy.
void tell_failure(int control, const Error& error) noexcept {
  const std::string_view message = error.what();
  const std::string& remedy = error.remedy();
  const std::array<std::int32_t, 3> head{static_cast<std::int32_t>(error.kind()), error.error_number(),
                                         static_cast<std::int32_t>(message.size())};
  tell_stage(control, Stage::failed);
  if (::send(control, head.data(), sizeof head, MSG_NOSIGNAL) < 0) return;
  if (::send(control, message.data(), message.size(), MSG_NOSIGNAL) < 0) return;
  if (!remedy.empty() && ::send(control, remedy.data(), remedy.size(), MSG_NOSIGNAL) < 0) return;
}

Stage next_stage(int control) {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::recv(control, &byte, 1, 0);
  } while (got < 0 && errno == EINTR);
  return got == 1 ? static_cast<Stage>(byte) : Stage::ended;
}

Error read_failure(int control) {
  std::string all;
  std::array<char, 1024> chunk{};
  for (;;) {
    const ssize_t got = ::recv(control, chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    all.append(chunk.data(), static_cast<std::size_t>(got));
  }
  std::array<std::int32_t, 3> head{};
  if (all.size() < sizeof head) return Error("the sandbox could not be set up");
  std::memcpy(head.data(), all.data(), sizeof head);
  const std::string text = all.substr(sizeof head);
  const auto length = static_cast<std::size_t>(head[2]);
  if (length > text.size()) return Error("the sandbox could not be set up");
  const Error error(text.substr(0, length), static_cast<ErrorKind>(head[0]), head[1]);
  const std::string remedy = text.substr(length);
  if (remedy.empty() && error.kind() != ErrorKind::environment) return error;
  return error.with_remedy(remedy.empty() ? remedy_for(head[1]) : remedy);
}

}  // namespace plumbline::kernel
