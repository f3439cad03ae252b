#pragma once

#include <boost/asio/awaitable.hpp>

#include "harness/engine/spec/spec.hpp"
#include "harness/network/discovery/locate.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"

/// Private to this folder.
namespace plumbline::engine {

/// The node that plumbline itself is started in.
inline constexpr const char* kHost = "host";

/// A live host and its nodes: held by descriptors, read back, and nothing of them changed.
struct LiveHost {
  network::LiveNetwork network;
  network::Topology declared;  ///< what no kernel can be asked for: roles, resolvers
  network::Topology found;
};

/// Finds the nodes that `spec` names; of a scenario those that its setup would make, by their names; else
/// all that have a name in /run/netns. Throws Error: of kind usage for what is not there, and where two names
/// mean one namespace.
boost::asio::awaitable<LiveHost> find_live_host(const spec::Spec& spec, network::EngineSockets sockets);

}  // namespace plumbline::engine
