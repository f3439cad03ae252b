#include "harness/engine/check/next_hop.hpp"

#include "harness/kernel/netlink/neighbour.hpp"

namespace plumbline::engine {

namespace netlink = kernel::netlink;

std::set<Unresolved> unresolved_neighbours(netlink::Socket& socket) {
  std::set<Unresolved> unresolved;
  for (const auto& entry :
       socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour_entry)) {
    const bool waits =
        entry.state == netlink::NeighbourState::incomplete || entry.state == netlink::NeighbourState::failed;
    if (waits) unresolved.insert({entry.address, entry.index});
  }
  return unresolved;
}

std::optional<Unresolved> unresolved_next_hop(netlink::Socket& socket, const netlink::RouteLookup& lookup,
                                              const std::set<Unresolved>& unresolved) {
  if (unresolved.empty()) return std::nullopt;
  const netlink::LookupResult found = netlink::look_up(socket, lookup);
  if (!found.route) return std::nullopt;
  const Unresolved next{found.route->via.value_or(lookup.to), found.route->dev};
  return unresolved.contains(next) ? std::optional(next) : std::nullopt;
}

}  // namespace plumbline::engine
