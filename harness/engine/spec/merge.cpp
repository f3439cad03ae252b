#include <algorithm>

#include "harness/engine/spec/spec.hpp"

namespace plumbline::spec {
namespace {

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

void merge_interface(network::Node& node, const network::Interface& more) {
  network::Interface* known = node.find_interface(more.name);
  if (known == nullptr) {
    node.interfaces.push_back(more);
    return;
  }
  append(known->addresses, more.addresses);
  append(known->gateways, more.gateways);
  if (!more.master.empty()) known->master = more.master;
  if (more.mac) known->mac = more.mac;
  if (more.mtu != 0) known->mtu = more.mtu;
  if (more.peer) known->peer = more.peer;
}

void merge_node(network::Node& node, const network::Node& more) {
  for (const network::Interface& interface : more.interfaces) merge_interface(node, interface);
  append(node.routes, more.routes);
  append(node.rules, more.rules);
  append(node.neighbours, more.neighbours);
  append(node.firewall.tables, more.firewall.tables);
  append(node.services, more.services);
  for (const auto& [name, value] : more.sysctls) node.sysctls[name] = value;
  if (!node.nft_text.empty() && !more.nft_text.empty()) node.nft_text += '\n';
  node.nft_text += more.nft_text;
  if (node.nft_origin.empty()) node.nft_origin = more.nft_origin;
  if (!more.resolvers.empty()) node.resolvers = more.resolvers;
}

}  // namespace

network::Topology merge(const network::Topology& world, const network::Topology& addition) {
  network::Topology merged = world;
  for (const network::Node& more : addition.nodes) {
    if (network::Node* known = merged.find(more.name)) {
      merge_node(*known, more);
    } else {
      merged.nodes.push_back(more);
    }
  }
  return merged;
}

network::Topology Spec::intended() const {
  return merge(world, addition);
}

}  // namespace plumbline::spec
