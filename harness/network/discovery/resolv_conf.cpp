#include "harness/network/discovery/resolv_conf.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace plumbline::network {
namespace {

constexpr std::size_t kLargest = std::size_t{64} * 1024;
constexpr int kAttempts = 16;

std::string errno_text() {
  return std::generic_category().message(errno);
}

/// Without opening it for reading: that alone may wait (a FIFO), or do something (a device).
Fd find_below(const Fd& root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed meanwhile (openat2(2)).
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Fd found(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
    if (found || errno != EAGAIN) return found;
  }
  return {};
}

std::string_view take_word(std::string_view& line) {
  constexpr std::string_view kBlank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word;
}

/// Why the text is not there; empty: it is, in `text`.
std::string read_found(const Fd& found, std::string& text) {
  struct stat status {};
  if (::fstat(found.get(), &status) != 0) return errno_text();
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  const Fd file(
      ::open(fmt::format("/proc/self/fd/{}", found.get()).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno_text();
  std::array<char, 4096> chunk{};
  while (text.size() < kLargest) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0) return errno_text();
    if (got == 0) return {};
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return fmt::format("it is larger than {} KiB", kLargest / 1024);
}

}  // namespace

std::vector<IpAddress> parse_resolv_conf(std::string_view text) {
  std::vector<IpAddress> servers;
  while (!text.empty() && servers.size() < kMostServers) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // The C library knows the word at the start of a line only.
    if (!line.starts_with("nameserver")) continue;
    if (take_word(line) != "nameserver") continue;
    if (const auto address = IpAddress::parse(take_word(line))) servers.push_back(*address);
  }
  return servers;
}

ResolvConf read_resolv_conf(const Fd& root, const std::string& path) {
  ResolvConf read;
  const Fd found = find_below(root, path);
  if (!found) {
    if (errno != ENOENT) read.unread = errno_text();
    return read;
  }
  std::string text;
  read.unread = read_found(found, text);
  if (read.unread.empty()) read.servers = parse_resolv_conf(text);
  return read;
}

ResolvConf read_resolv_conf(const std::string& path) {
  const Fd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return {{}, errno_text()};
  return read_resolv_conf(root, path.substr(std::min(path.find_first_not_of('/'), path.size())));
}

}  // namespace plumbline::network
