#pragma once

#include "harness/base/deadline.hpp"
#include "harness/network/topology/site.hpp"

namespace plumbline::network {

/// Returns when, in every site, all that should run does: veths whose two ends are up have carrier, ports
/// forward, bridges with such a port run, and every IPv6 address, link-local ones included, can be used (not
/// tentative, and its local route there). Looks at the kernel's state first and waits for its notifications
/// only where that is not enough. Throws Error naming what did not come by `deadline`.
void await_ready(Sites& sites, const Deadline& deadline);

}  // namespace plumbline::network
