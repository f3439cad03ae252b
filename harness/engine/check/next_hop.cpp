#include "harness/engine/check/next_hop.hpp"

#include "harness/kernel/netlink/neighbour.hpp"

namespace plumbline::engine {

namespace netlink = kernel::netlink;

namespace {

/// To whom the kernel hands such a packet. Absent: it has no route for it.
std::optional<NextHop> next_hop(netlink::Socket& socket, const netlink::RouteLookup& lookup) {
  const netlink::LookupResult found = netlink::look_up(socket, lookup);
  if (!found.route) return std::nullopt;
  return NextHop{found.route->via.value_or(lookup.to), found.route->dev};
}

}  // namespace

std::set<NextHop> unresolved_neighbours(netlink::Socket& socket) {
  std::set<NextHop> unresolved;
  for (const auto& entry :
       socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour_entry)) {
    const bool waits =
        entry.state == netlink::NeighbourState::incomplete || entry.state == netlink::NeighbourState::failed;
    if (waits) unresolved.insert({entry.address, entry.index});
  }
  return unresolved;
}

std::optional<NextHop> unresolved_next_hop(netlink::Socket& socket, const netlink::RouteLookup& lookup,
                                           const std::set<NextHop>& unresolved) {
  if (unresolved.empty()) return std::nullopt;
  const auto next = next_hop(socket, lookup);
  return next && unresolved.contains(*next) ? next : std::nullopt;
}

std::optional<MacAddress> next_hop_mac(netlink::Socket& socket, const netlink::RouteLookup& lookup) {
  const auto next = next_hop(socket, lookup);
  if (!next) return std::nullopt;
  for (const auto& entry :
       socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour_entry)) {
    if (NextHop{entry.address, entry.index} == *next) return entry.mac;
  }
  return std::nullopt;
}

}  // namespace plumbline::engine
