#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/spec/spec.hpp"
#include "harness/network/setup/script_host.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::engine {

/// Whether the setup of `spec` runs programs, for which it needs a host to run them in.
bool runs_programs(const spec::Spec& spec);

/// The resolvers that the setup's containers are to use; empty: the host's.
std::vector<IpAddress> stated_resolvers(const spec::Spec& spec);

/// Has the setup of `spec` make the host's container networking in `network`, in which the world stands
/// already. `scripts` is there where it runs programs. `declared` is what no kernel can be asked for, and is
/// completed. Absent: it is made. Otherwise why it is skipped. Throws Error.
boost::asio::awaitable<std::optional<std::string>> set_up(const spec::Spec& spec,
                                                          network::LiveNetwork& network,
                                                          network::ScriptHost* scripts,
                                                          network::Topology& declared);

/// After a change: the nodes are what the setup's runtime has made of its containers since. Throws Error.
boost::asio::awaitable<void> follow(const spec::Spec& spec, network::ScriptHost& scripts,
                                    network::Topology& declared);

}  // namespace plumbline::engine
