#include "harness/kernel/nftables/trace.hpp"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/kernel/nftables/listing.hpp"
#include "harness/kernel/nftables/names.hpp"

namespace plumbline::kernel::nft {
namespace {

constexpr std::array kHooks{Hook::prerouting, Hook::input, Hook::forward, Hook::output, Hook::postrouting};

/// Destination unreachable, time exceeded; over IPv6 packet too big, too.
constexpr std::array<std::uint8_t, 2> kErrors{3, 11};
constexpr std::array<std::uint8_t, 3> kErrorsV6{1, 2, 3};

Ruleset table(Family family, const std::string& name) {
  // A probe's nonce (harness/traffic/probe) stands behind the 8 bytes of an echo's or UDP's header.
  const TransportBytes nonce{8, {'P', 'L'}};
  const auto type = [](std::uint8_t number) { return TransportBytes{0, {number}}; };
  std::vector<Rule> mark{
      {{Protocol{IPPROTO_TCP}}, Traced{}, false, {}},
      {{Protocol{IPPROTO_UDP}}, Traced{}, false, {}},
      {{Protocol{IPPROTO_ICMP}, nonce}, Traced{}, false, {}},
      {{Protocol{IPPROTO_ICMPV6}, nonce}, Traced{}, false, {}},
  };
  for (const std::uint8_t error : kErrors) {
    mark.push_back({{Protocol{IPPROTO_ICMP}, type(error)}, Traced{}, false, {}});
  }
  for (const std::uint8_t error : kErrorsV6) {
    mark.push_back({{Protocol{IPPROTO_ICMPV6}, type(error)}, Traced{}, false, {}});
  }
  Table own{family, name, {}, true};
  for (const Hook hook : kHooks) {
    own.chains.push_back(
        {to_string(hook), BaseChain{ChainType::filter, hook, Trace::kPriority, Policy::accept}, mark});
  }
  return {{std::move(own)}};
}

/// A socket of `netns` that hears the trace events of that namespace.
Fd open_events(const Netns& netns, std::size_t buffer_bytes) {
  const Netns::Entered inside(netns);
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (!socket) throw Error::from_errno(errno, "opening a socket for trace events");
  const int size = static_cast<int>(std::min<std::size_t>(buffer_bytes, std::numeric_limits<int>::max() / 2));
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  constexpr int group = NFNLGRP_NFTRACE;
  // NOLINTNEXTLINE(*-reinterpret-cast): the sockets' interface
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    throw Error::from_errno(errno, "subscribing to trace events").with_kind(ErrorKind::environment);
  }
  return socket;
}

}  // namespace

Trace::Trace(const Netns& netns, std::size_t buffer_bytes, std::string name)
    : table_(std::move(name)), events_(open_events(netns, buffer_bytes)), owner_(netns) {
  owner_.commit(encode(table(Family::inet, table_)));
}

std::string Trace::table_of_this_process() {
  const std::string name = std::string(kTable) + "-" + std::to_string(::getpid());
  struct stat namespace_of_pids {};
  // The machine's own: include/linux/proc_ns.h. Elsewhere another process may have the same number.
  constexpr ino_t machines_own = 0xEFFFFFFC;
  const bool known = ::stat("/proc/self/ns/pid", &namespace_of_pids) == 0;
  if (!known || namespace_of_pids.st_ino == machines_own) return name;
  return name + "-" + std::to_string(namespace_of_pids.st_ino);
}

void Trace::heed_bridges(const Netns& netns) {
  std::set<std::string> tables = tables_at_bridges(owner_);
  if (bridges_owner_) tables.erase(table_);
  if (tables.empty()) {
    bridges_owner_.reset();
  } else if (!bridges_owner_) {
    auto owner = std::make_unique<Connection>(netns);
    owner->commit(encode(table(Family::bridge, table_)));
    bridges_owner_ = std::move(owner);
  }
}

bool Trace::others_at_bridges() const {
  std::set<std::string> tables = tables_at_bridges(owner_);
  if (bridges_owner_) tables.erase(table_);
  return !tables.empty();
}

std::vector<TraceEvent> Trace::take() {
  constexpr std::size_t largest = 65536;
  const auto buffer = std::make_unique<std::array<std::uint8_t, largest>>();
  std::vector<TraceEvent> events;
  while (true) {
    const ssize_t got = ::recv(fd(), buffer->data(), buffer->size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return events;
    if (got < 0 && errno != ENOBUFS) throw Error::from_errno(errno, "receiving trace events");
    if (got < 0 || static_cast<std::size_t>(got) > buffer->size()) {
      ++lost_;
      continue;
    }
    for (TraceEvent& event : parse_trace({buffer->data(), static_cast<std::size_t>(got)})) {
      events.push_back(std::move(event));
    }
  }
}

bool Trace::is_own(std::string_view family, std::string_view table) {
  if ((family != kFamily && family != kBridgeFamily) || !table.starts_with(kTable)) return false;
  std::string_view process = table.substr(kTable.size());
  if (process.empty()) return true;
  if (!process.starts_with('-') || process.size() == 1) return false;
  process.remove_prefix(1);
  return process.find_first_not_of("-0123456789") == std::string_view::npos;
}

std::optional<Trace::Place> Trace::place_of(const TraceEvent& event, std::string_view own) {
  if (event.table != own || !is_own(event.family, event.table)) return std::nullopt;
  const auto found =
      std::ranges::find(kHooks, event.chain, [](Hook hook) { return std::string(to_string(hook)); });
  if (found == kHooks.end()) return std::nullopt;
  return Place{*found, event.family == kBridgeFamily};
}

}  // namespace plumbline::kernel::nft
