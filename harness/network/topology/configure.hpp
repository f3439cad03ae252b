#pragma once

#include "harness/network/topology/site.hpp"

namespace plumbline::network {

/// What a node's links are given, in one batch: masters, up, addresses, routes, rules, neighbours.
/// Throws Error.
void configure(Site& site);

}  // namespace plumbline::network
