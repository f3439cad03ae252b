#pragma once

#include <compare>
#include <optional>
#include <set>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::engine {

/// A neighbour that a node's kernel asks for, or has asked for in vain.
struct Unresolved {
  IpAddress address;
  unsigned dev = 0;  ///< an index
  friend auto operator<=>(const Unresolved&, const Unresolved&) = default;
};

/// All that the kernel of the socket's namespace waits for, by ARP and by neighbour discovery. Throws Error.
std::set<Unresolved> unresolved_neighbours(kernel::netlink::Socket& socket);

/// The one among `unresolved` to which the same kernel would hand such a packet. Absent: none, or it has no
/// route for it. Throws Error.
std::optional<Unresolved> unresolved_next_hop(kernel::netlink::Socket& socket,
                                              const kernel::netlink::RouteLookup& lookup,
                                              const std::set<Unresolved>& unresolved);

}  // namespace plumbline::engine
