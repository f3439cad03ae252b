#include "harness/kernel/iptables_legacy/tables.hpp"

#include <fmt/format.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"

namespace plumbline::kernel::iptables {
namespace {

constexpr int kAttempts = 8;

std::vector<std::string> names(IpFamily family) {
  std::ifstream file(family == IpFamily::v4 ? "/proc/thread-self/net/ip_tables_names"
                                            : "/proc/thread-self/net/ip6_tables_names");
  std::vector<std::string> found;
  for (std::string line; std::getline(file, line);) found.push_back(line);
  return found;
}

/// struct ipt_getinfo and ip6t_getinfo are the same, as are the two options' numbers.
static_assert(sizeof(ipt_getinfo) == sizeof(ip6t_getinfo));
static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES);
static_assert(offsetof(ipt_get_entries, entrytable) == offsetof(ip6t_get_entries, entrytable));

[[noreturn]] void fail(const std::string& name) {
  throw Error::from_errno(errno, fmt::format("reading iptables-legacy's table {}", name));
}

/// Absent: the table was changed between the two questions.
std::optional<Table> read_once(int socket, IpFamily family, const std::string& name) {
  const int level = family == IpFamily::v4 ? IPPROTO_IP : IPPROTO_IPV6;
  ipt_getinfo info{};
  name.copy(info.name, sizeof info.name - 1);
  socklen_t length = sizeof info;
  if (::getsockopt(socket, level, IPT_SO_GET_INFO, &info, &length) != 0) fail(name);
  constexpr std::size_t start = offsetof(ipt_get_entries, entrytable);
  // What the kernel copies out is exactly what it was asked for.
  std::vector<std::uint8_t> answer(start + info.size);
  std::memcpy(answer.data(), info.name, sizeof info.name);
  std::memcpy(answer.data() + offsetof(ipt_get_entries, size), &info.size, sizeof info.size);
  length = static_cast<socklen_t>(answer.size());
  if (::getsockopt(socket, level, IPT_SO_GET_ENTRIES, answer.data(), &length) != 0) {
    if (errno == EAGAIN) return std::nullopt;
    fail(name);
  }
  TableInfo where;
  where.valid_hooks = info.valid_hooks;
  std::copy_n(std::begin(info.hook_entry), where.hook_entry.size(), where.hook_entry.begin());
  std::copy_n(std::begin(info.underflow), where.underflow.size(), where.underflow.begin());
  return parse_table(family, where, std::span(answer).subspan(start));
}

}  // namespace

std::vector<std::string> table_names(const Netns& netns, IpFamily family) {
  const Netns::Entered inside(netns);
  return names(family);
}

std::optional<Table> read_table(const Netns& netns, IpFamily family, const std::string& name) {
  const Netns::Entered inside(netns);
  if (std::ranges::count(names(family), name) == 0 || name.size() >= XT_TABLE_MAXNAMELEN) return std::nullopt;
  const Fd socket(
      ::socket(family == IpFamily::v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!socket) fail(name);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (auto table = read_once(socket.get(), family, name)) return table;
  }
  throw Error(fmt::format("reading iptables-legacy's table {}: it kept changing while it was read", name));
}

}  // namespace plumbline::kernel::iptables
