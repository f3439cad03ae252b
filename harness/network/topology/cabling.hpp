#pragma once

#include "harness/network/topology/site.hpp"

namespace plumbline::network {

/// Gives every interface that is not there yet its index.
void plan_indices(Sites& sites);

/// Makes the planned bridges and veths, each straight into its place: one batch for each node. A veth is made
/// from the end that is a bridge's port, which the same request makes a port and brings up; the other end
/// is only made. Throws Error.
void create_links(Sites& sites);

/// True where `create_links` makes the pair from this end.
bool leads(const Interface& end, const Endpoint& self, const Interface& peer);

}  // namespace plumbline::network
