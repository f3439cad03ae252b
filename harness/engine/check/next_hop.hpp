#pragma once

#include <compare>
#include <optional>
#include <set>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::engine {

/// A neighbour of a node.
struct NextHop {
  IpAddress address;
  unsigned dev = 0;  ///< an index
  friend auto operator<=>(const NextHop&, const NextHop&) = default;
};

/// All that the kernel of the socket's namespace asks for, or has asked for in vain, by ARP and by neighbour
/// discovery. Throws Error.
std::set<NextHop> unresolved_neighbours(kernel::netlink::Socket& socket);

/// The one among `unresolved` to which the same kernel would hand such a packet. Absent: none, or it has no
/// route for it. Throws Error.
std::optional<NextHop> unresolved_next_hop(kernel::netlink::Socket& socket,
                                           const kernel::netlink::RouteLookup& lookup,
                                           const std::set<NextHop>& unresolved);

/// The hardware address to which the same kernel sends such a packet. Absent: it has not learned it, or has
/// no route. Throws Error.
std::optional<MacAddress> next_hop_mac(kernel::netlink::Socket& socket,
                                       const kernel::netlink::RouteLookup& lookup);

}  // namespace plumbline::engine
