#include "harness/engine/check/ground.hpp"

#include <algorithm>

namespace plumbline::engine {
namespace {

std::vector<IpAddress> gateways_of(const network::Node& node) {
  std::vector<IpAddress> gateways;
  for (const network::Route& route : node.routes) {
    if (route.via) gateways.push_back(*route.via);
  }
  for (const network::Interface& interface : node.interfaces) {
    gateways.insert(gateways.end(), interface.gateways.begin(), interface.gateways.end());
  }
  std::ranges::sort(gateways);
  gateways.erase(std::unique(gateways.begin(), gateways.end()), gateways.end());
  return gateways;
}

}  // namespace

Ground::Ground(const network::Topology& topology) {
  for (const network::Node& node : topology.nodes) {
    gateways_[node.name] = gateways_of(node);
    for (const network::Interface& interface : node.interfaces) {
      if (interface.lower) {
        lowers_[{node.name, interface.name}] = {interface.lower->node, interface.lower->interface};
      }
      if (!interface.peer) continue;
      cables_[{node.name, interface.name}] = {interface.peer->node, interface.peer->interface};
    }
  }
}

const std::vector<IpAddress>& Ground::gateways(const std::string& node) const {
  static const std::vector<IpAddress> none;
  const auto found = gateways_.find(node);
  return found == gateways_.end() ? none : found->second;
}

}  // namespace plumbline::engine
