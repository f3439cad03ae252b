#include "harness/kernel/netlink/route.hpp"

#include <linux/rtnetlink.h>

#include <cstring>

#include "harness/kernel/netlink/family.hpp"

namespace plumbline::kernel::netlink {
namespace {

constexpr unsigned kLoopbackIndex = 1;  // LOOPBACK_IFINDEX: in every namespace

std::uint8_t type_number(RouteKind kind) {
  switch (kind) {
    case RouteKind::unicast:
      return RTN_UNICAST;
    case RouteKind::local:
      return RTN_LOCAL;
    case RouteKind::blackhole:
      return RTN_BLACKHOLE;
    case RouteKind::unreachable:
      return RTN_UNREACHABLE;
    case RouteKind::prohibit:
      return RTN_PROHIBIT;
  }
  return RTN_UNSPEC;
}

std::optional<RouteKind> kind_of(std::uint8_t number) {
  switch (number) {
    case RTN_UNICAST:
      return RouteKind::unicast;
    case RTN_LOCAL:
      return RouteKind::local;
    case RTN_BLACKHOLE:
      return RouteKind::blackhole;
    case RTN_UNREACHABLE:
      return RouteKind::unreachable;
    case RTN_PROHIBIT:
      return RouteKind::prohibit;
    default:
      return std::nullopt;
  }
}

std::uint8_t scope_of(const Route& route) {
  if (!route.to.address().is_v4()) return RT_SCOPE_UNIVERSE;  // IPv6 knows no scopes of routes
  if (route.kind == RouteKind::local) return RT_SCOPE_HOST;
  return route.kind == RouteKind::unicast && !route.via ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

// struct rtvia of linux/rtnetlink.h ends in a flexible array, which C++ does not have.
void put_foreign_gateway(Message& message, const IpAddress& via) {
  std::array<std::uint8_t, 18> bytes{};
  const std::uint16_t family = family_number(via.family());
  std::memcpy(bytes.data(), &family, sizeof family);
  std::memcpy(bytes.data() + sizeof family, via.bytes().data(), via.bytes().size());
  message.put(RTA_VIA, std::span(bytes).first(sizeof family + via.bytes().size()));
}

std::optional<IpAddress> gateway(const Attributes& attributes) {
  if (const auto via = attributes.ip(RTA_GATEWAY)) return via;
  const auto foreign = attributes.bytes(RTA_VIA);
  if (!foreign || foreign->size() < 2) return std::nullopt;
  return IpAddress::from_bytes(foreign->subspan(2));
}

// The next hops of RTA_MULTIPATH: struct rtnexthop, then attributes, each hop as long as it says.
void decode_hops(std::span<const std::uint8_t> bytes, const Route& common, std::vector<Route>& routes) {
  while (bytes.size() >= sizeof(rtnexthop)) {
    rtnexthop hop{};
    std::memcpy(&hop, bytes.data(), sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > bytes.size()) return;
    Route route = common;
    route.dev = static_cast<unsigned>(hop.rtnh_ifindex);
    route.via = gateway(Attributes(bytes.subspan(sizeof hop, hop.rtnh_len - sizeof hop)));
    routes.push_back(route);
    const std::size_t aligned = (std::size_t{hop.rtnh_len} + 3U) & ~std::size_t{3};
    if (aligned >= bytes.size()) return;
    bytes = bytes.subspan(aligned);
  }
}

}  // namespace

namespace {

rtmsg header_of(const Route& route) {
  rtmsg header{};
  header.rtm_family = family_number(route.to.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(route.to.length());
  header.rtm_table =
      route.table < 256 ? static_cast<std::uint8_t>(route.table) : std::uint8_t{RT_TABLE_UNSPEC};
  header.rtm_type = type_number(route.kind);
  return header;
}

void put_route(Message& message, const Route& route) {
  if (route.to.length() > 0) message.put_ip(RTA_DST, route.to.address());
  message.put_u32(RTA_TABLE, route.table);
  if (route.via && route.via->family() == route.to.family()) message.put_ip(RTA_GATEWAY, *route.via);
  if (route.via && route.via->family() != route.to.family()) put_foreign_gateway(message, *route.via);
  const unsigned dev = route.kind == RouteKind::local && route.dev == 0 ? kLoopbackIndex : route.dev;
  if (dev != 0) message.put_u32(RTA_OIF, dev);
  if (route.source) message.put_ip(RTA_PREFSRC, *route.source);
  if (route.metric != 0) message.put_u32(RTA_PRIORITY, route.metric);
}

}  // namespace

Message add_route(const Route& route) {
  rtmsg header = header_of(route);
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = scope_of(route);
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, header);
  put_route(message, route);
  return message;
}

Message delete_route(const Route& route) {
  rtmsg header = header_of(route);
  header.rtm_scope = RT_SCOPE_NOWHERE;  // whatever its scope
  Message message(RTM_DELROUTE, 0, header);
  put_route(message, route);
  return message;
}

Message get_routes(IpFamily family, std::uint32_t table) {
  rtmsg header{};
  header.rtm_family = family_number(family);
  Message message(RTM_GETROUTE, 0, header);
  if (table != 0) message.put_u32(RTA_TABLE, table);
  return message;
}

std::optional<std::vector<Route>> decode_routes(const Received& message) {
  if (message.type != RTM_NEWROUTE) return std::nullopt;
  const auto parts = split<rtmsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  const auto kind = kind_of(header.rtm_type);
  if (!kind || (header.rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return std::nullopt;

  const IpAddress any = header.rtm_family == AF_INET ? IpAddress() : IpAddress::v6({});
  const IpAddress to = attributes.ip(RTA_DST).value_or(any);
  if (to.family() != any.family() || header.rtm_dst_len > to.bits()) return std::nullopt;
  Route route;
  route.to = Prefix(to, header.rtm_dst_len);
  route.via = gateway(attributes);
  route.dev = attributes.u32(RTA_OIF).value_or(0);
  route.table = attributes.u32(RTA_TABLE).value_or(header.rtm_table);
  route.kind = *kind;
  route.source = attributes.ip(RTA_PREFSRC);
  route.metric = attributes.u32(RTA_PRIORITY).value_or(0);
  route.automatic = header.rtm_protocol == RTPROT_KERNEL;
  std::vector<Route> routes;
  if (const auto hops = attributes.bytes(RTA_MULTIPATH)) {
    decode_hops(*hops, route, routes);
  } else {
    routes.push_back(route);
  }
  return routes;
}

}  // namespace plumbline::kernel::netlink
