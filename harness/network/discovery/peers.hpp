#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// Private to this folder: a node's links as the kernel told them, and its socket.
struct NodeLinks {
  std::string name;
  const kernel::Netns* netns;
  kernel::netlink::Socket socket;
  std::vector<kernel::netlink::Link> links;
};

/// Fills in every veth's peer, and what every macvlan lies on, in `topology`, whose nodes are those of
/// `nodes`. The kernel tells the index of a peer and the number (nsid) of its namespace; whose number it is,
/// the kernel is asked for each node that holds a link which fits. A peer in a namespace that is no node
/// stays absent. Throws Error.
void find_peers(std::vector<NodeLinks>& nodes, Topology& topology);

/// That of one veth, by asking the kernel again: no other link is read but that other end.
std::optional<Endpoint> find_peer(const LiveNetwork& network, std::string_view node,
                                  std::string_view interface);

}  // namespace plumbline::network
