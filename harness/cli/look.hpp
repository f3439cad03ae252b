#pragma once

#include "harness/network/discovery/host.hpp"

namespace plumbline::cli {

/// The host that this process lives in, read in an event loop of its own. Throws Error.
network::HostView look(network::HostSources sources);

}  // namespace plumbline::cli
