#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

enum class RouteKind : std::uint8_t { unicast, local, blackhole, unreachable, prohibit };

/// A route with one next hop.
struct Route {
  Prefix to;
  std::optional<IpAddress> via;  ///< may be of the other family (RFC 5549)
  unsigned dev = 0;              ///< index; 0: none, or the kernel finds it by `via`
  std::uint32_t table = 254;
  RouteKind kind = RouteKind::unicast;
  std::optional<IpAddress> source;  ///< preferred source address
  std::uint32_t metric = 0;         ///< 0: the kernel's choice, which for IPv6 is 1024
  bool automatic = false;           ///< made by the kernel (RTPROT_KERNEL); only read
};

/// A route that is already there is an error (EEXIST).
Message add_route(const Route& route);
/// The one route in its table with this destination and, where given, next hop, device, metric.
Message delete_route(const Route& route);
/// For Socket::dump. Of one table, or of all (0).
Message get_routes(IpFamily family, std::uint32_t table = 0);
/// One route for each next hop. Absent: not a route, malformed, cached, or of a kind not named above
/// (broadcast, multicast, anycast, throw).
std::optional<std::vector<Route>> decode_routes(const Received& message);

}  // namespace plumbline::kernel::netlink
