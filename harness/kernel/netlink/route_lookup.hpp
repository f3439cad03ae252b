#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::kernel::netlink {

/// What the kernel is asked: how it would route one packet (`ip route get`).
struct RouteLookup {
  IpAddress to;
  std::optional<IpAddress> from;  ///< of the family of `to`
  /// The interface that the packet comes in by, an index: the kernel then decides as for a packet of somebody
  /// else's. IPv4 does so in full: it needs a `from` that rp_filter and the addresses' own rules let in, and
  /// forwarding, or the packet is for this node. 0: a packet of the node's own.
  unsigned iif = 0;
  unsigned oif = 0;  ///< the interface that the sender insists on (SO_BINDTODEVICE), an index; 0: none
  std::uint32_t mark = 0;
};

enum class LookupType : std::uint8_t { unicast, local, broadcast, anycast, multicast, other };

/// What becomes of such a packet.
struct LookupAnswer {
  LookupType type = LookupType::unicast;
  std::optional<IpAddress> via;     ///< the next router, perhaps of the other family; absent: on link
  unsigned dev = 0;                 ///< an index
  std::uint32_t table = 0;          ///< in which the route was found
  std::optional<IpAddress> source;  ///< that the node would choose; absent with `iif` or (IPv4) a `from`
};

/// The kernel's decision: the route, or the errno of its refusal.
struct LookupResult {
  std::optional<LookupAnswer> route;
  /// ENETUNREACH: no route, or (IPv4) a `from` that the node does not hold. EHOSTUNREACH: an unreachable
  /// route, or (IPv4, with `iif`) forwarding is off. EACCES: a prohibit route. EINVAL: a blackhole route, or
  /// (IPv4, with `iif`) a source that is not let in, which kernels before 6.14 call EXDEV where rp_filter
  /// says so (inet_rtm_getroute in net/ipv4/route.c, fib_props in net/ipv4/fib_semantics.c). 0: none.
  int error = 0;
};

/// For Socket::execute.
Message get_route(const RouteLookup& lookup);
/// Absent: not a route, or malformed.
std::optional<LookupAnswer> decode_lookup(const Received& message);
/// Asks. What the kernel decides, a refusal too, is data; throws Error where it cannot be asked.
LookupResult look_up(Socket& socket, const RouteLookup& lookup);

}  // namespace plumbline::kernel::netlink
