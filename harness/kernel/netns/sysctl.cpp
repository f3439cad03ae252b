#include "harness/kernel/netns/sysctl.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"

namespace plumbline::kernel {
namespace {

constexpr std::size_t kLongest = 65536;

[[noreturn]] void refuse(std::string_view name, const char* why) {
  throw Error(fmt::format("sysctl \"{}\": {}", name, why), ErrorKind::usage);
}

/// Below /proc/sys. Only net/ belongs to a network namespace; all else is the machine's.
std::string path_of(std::string_view name) {
  if (name.find('\0') != std::string_view::npos) refuse(name, "a name holds no NUL");
  std::string path(name);
  if (path.find('/') == std::string::npos) std::replace(path.begin(), path.end(), '.', '/');
  if (path.compare(0, 4, "net/") != 0) refuse(name, "only net.* belongs to a network namespace");
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string part = path.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") refuse(name, "a part of the name is empty, . or ..");
    start = end + 1;
  }
  return "/proc/sys/" + path;
}

}  // namespace

void write_sysctl(const Netns& netns, std::string_view name, std::string_view value) {
  const std::string path = path_of(name);
  // /proc/sys/net shows the namespace of whoever opens it.
  const Netns::Entered inside(netns);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file && ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size())) return;
  const int number = errno;
  const Error error = Error::from_errno(number, fmt::format("setting sysctl {} = {}", name, value));
  if (number == EROFS) {
    throw error.with_kind(ErrorKind::environment)
        .with_remedy("/proc/sys is read-only: in a container, run it with --privileged");
  }
  if (number == ENOENT) {
    throw error.with_kind(ErrorKind::environment)
        .with_remedy("this kernel has no such sysctl: correct the name, or load the module that brings it");
  }
  throw number == EINVAL ? error.with_kind(ErrorKind::usage) : error;
}

std::optional<std::string> read_sysctl(const Netns& netns, std::string_view name) {
  const std::string path = path_of(name);
  const Netns::Entered inside(netns);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  std::string text;
  std::array<char, 4096> chunk{};
  ssize_t got = file ? ::read(file.get(), chunk.data(), chunk.size()) : -1;
  while (got > 0 && text.size() < kLongest) {
    text.append(chunk.data(), static_cast<std::size_t>(got));
    got = ::read(file.get(), chunk.data(), chunk.size());
  }
  if (got < 0) throw Error::from_errno(errno, fmt::format("reading sysctl {}", name));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace plumbline::kernel
