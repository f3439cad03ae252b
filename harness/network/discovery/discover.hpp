#pragma once

#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// Reads every node back from the kernel: links with kind, state, master and peer (found through the
/// kernel's netnsids, never by name), addresses, routes of all tables, rules, neighbours. What the kernel
/// cannot know (role, services, resolvers, plant) is taken over from `intended` by node name. Throws Error.
Topology discover(const LiveNetwork& network, const Topology& intended);

}  // namespace plumbline::network
