#pragma once

#include "harness/base/deadline.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/site.hpp"

namespace plumbline::network {

/// Returns when, in every site, all that should run does: veths whose two ends are up have carrier, ports
/// forward, bridges with such a port run, and every IPv6 address, link-local ones included, can be used (not
/// tentative, and its local route there). Looks at the kernel's state first and waits for its notifications
/// only where that is not enough. Throws Error naming what did not come by `deadline`.
void await_ready(Sites& sites, const Deadline& deadline);

/// The same for a network as it was read back: all nodes that are both in `network` and in `found`. An
/// address that cannot become usable is not waited for: one found to be a duplicate, one on an interface
/// without carrier whose other end is down or no node.
void await_ready(const LiveNetwork& network, const Topology& found, const Deadline& deadline);

}  // namespace plumbline::network
