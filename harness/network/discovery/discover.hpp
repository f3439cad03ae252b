#pragma once

#include <optional>
#include <string_view>

#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// Reads every node back from the kernel: links with kind, state, master and peer (found through the
/// kernel's netnsids, never by name), addresses, routes of all tables, rules, neighbours. What the kernel
/// cannot know (role, services, resolvers, plant) is taken over from `intended` by node name; an adopted node
/// that it does not name is a container with the resolvers of its host. Throws Error.
Topology discover(const LiveNetwork& network, const Topology& intended);

/// The same for one node, as it is at this moment; peers are left out. Throws Error.
Node discover_node(const LiveNetwork& network, std::string_view name, const Topology& intended);

/// The other end of a veth, as it is at this moment. Absent: `interface` is not there or is no veth, or its
/// other end is in a namespace that is no node. Throws Error.
std::optional<Endpoint> discover_peer(const LiveNetwork& network, std::string_view node,
                                      std::string_view interface);

}  // namespace plumbline::network
