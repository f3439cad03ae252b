#include "harness/kernel/netlink/route_lookup.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/batch.hpp"
#include "harness/kernel/netlink/family.hpp"
#include "harness/kernel/netlink/route.hpp"

namespace plumbline::kernel::netlink {
namespace {

LookupType type_of(std::uint8_t number) {
  switch (number) {
    case RTN_UNICAST:
      return LookupType::unicast;
    case RTN_LOCAL:
      return LookupType::local;
    case RTN_BROADCAST:
      return LookupType::broadcast;
    case RTN_ANYCAST:
      return LookupType::anycast;
    case RTN_MULTICAST:
      return LookupType::multicast;
    default:
      return LookupType::other;
  }
}

// The kernel's decisions; anything else (EPERM, ENOBUFS, ENODEV for an interface that has gone) is trouble.
constexpr std::array<int, 5> kDecisions{ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EXDEV};

// struct rtvia: the family, then an address of the other family than the route's (RFC 5549).
std::optional<IpAddress> gateway(const Attributes& attributes) {
  if (const auto via = attributes.ip(RTA_GATEWAY)) return via;
  const auto foreign = attributes.bytes(RTA_VIA);
  if (!foreign || foreign->size() < 2) return std::nullopt;
  return IpAddress::from_bytes(foreign->subspan(2));
}

// While a namespace has no rules of its own, IPv4's tables local and main share one trie, and the kernel says
// main of both (fib_trie_unmerge in net/ipv4/fib_trie.c). A dump tells them apart.
bool in_local_table(Socket& socket, const IpAddress& address) {
  const auto routes =
      socket.dump(get_routes(IpFamily::v4, RT_TABLE_LOCAL), "listing the table local", decode_routes);
  return std::ranges::any_of(routes, [&](const std::vector<Route>& hops) {
    return std::ranges::any_of(hops, [&](const Route& route) {
      return route.kind == RouteKind::local && route.to.contains(address);
    });
  });
}

}  // namespace

Message get_route(const RouteLookup& lookup) {
  rtmsg header{};
  header.rtm_family = family_number(lookup.to.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(lookup.to.bits());
  if (lookup.from) header.rtm_src_len = static_cast<std::uint8_t>(lookup.from->bits());
  // Without it IPv4 says "main" whatever the table is. IPv6 always tells, and refuses the flag.
  if (lookup.to.is_v4()) header.rtm_flags = RTM_F_LOOKUP_TABLE;
  Message message(RTM_GETROUTE, 0, header);
  message.put_ip(RTA_DST, lookup.to);
  if (lookup.from) message.put_ip(RTA_SRC, *lookup.from);
  if (lookup.iif != 0) message.put_u32(RTA_IIF, lookup.iif);
  if (lookup.oif != 0) message.put_u32(RTA_OIF, lookup.oif);
  if (lookup.mark != 0) message.put_u32(RTA_MARK, lookup.mark);
  return message;
}

std::optional<LookupAnswer> decode_lookup(const Received& message) {
  if (message.type != RTM_NEWROUTE) return std::nullopt;
  const auto parts = split<rtmsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return std::nullopt;
  LookupAnswer answer;
  answer.type = type_of(header.rtm_type);
  answer.via = gateway(attributes);
  answer.dev = attributes.u32(RTA_OIF).value_or(0);
  answer.table = attributes.u32(RTA_TABLE).value_or(header.rtm_table);
  answer.source = attributes.ip(RTA_PREFSRC);
  return answer;
}

LookupResult look_up(Socket& socket, const RouteLookup& lookup) {
  LookupResult result;
  Batch batch("");
  batch.add(
      get_route(lookup), [&] { return fmt::format("looking up the route to {}", lookup.to.to_string()); },
      [&](const Received& answer) { result.route = decode_lookup(answer); });
  try {
    socket.execute(batch);
  } catch (const Error& error) {
    for (const int decision : kDecisions) {
      if (error.error_number() == decision) result.error = decision;
    }
    if (result.error == 0) throw;
  }
  if (!result.route && result.error == 0) {
    throw Error(
        fmt::format("looking up the route to {}: the kernel answered with no route", lookup.to.to_string()));
  }
  const bool maybe_local = result.route && lookup.to.is_v4() && result.route->type == LookupType::local &&
                           result.route->table == RT_TABLE_MAIN;
  if (maybe_local && in_local_table(socket, lookup.to)) result.route->table = RT_TABLE_LOCAL;
  return result;
}

}  // namespace plumbline::kernel::netlink
