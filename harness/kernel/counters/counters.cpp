#include "harness/kernel/counters/counters.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/counters/parse.hpp"

namespace plumbline::kernel::counters {
namespace {

/// Absent: the namespace has no such file.
std::optional<std::string> contents(const char* name) {
  // The thread's own: it alone has entered the namespace.
  const std::string path = fmt::format("/proc/thread-self/net/{}", name);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) throw Error::from_errno(errno, fmt::format("opening {}", path));
  std::string text;
  std::array<char, 1 << 14> chunk{};
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::from_errno(errno, fmt::format("reading {}", path));
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Counters read(const Netns& netns) {
  Counters counters;
  const auto inside = netns.enter();
  for (const char* name : {"snmp", "netstat"}) {
    if (const auto text = contents(name)) parse_snmp(*text, counters);
  }
  if (const auto text = contents("snmp6")) parse_snmp6(*text, counters);
  if (const auto text = contents("stat/nf_conntrack")) parse_conntrack(*text, counters);
  return counters;
}

Counters difference(const Counters& before, const Counters& after) {
  Counters risen;
  for (const auto& [name, value] : after) {
    const auto earlier = before.find(name);
    const std::uint64_t from = earlier == before.end() ? 0 : earlier->second;
    if (value > from) risen.emplace(name, value - from);
  }
  return risen;
}

}  // namespace plumbline::kernel::counters
