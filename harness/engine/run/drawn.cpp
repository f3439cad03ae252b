#include "harness/engine/run/drawn.hpp"

namespace plumbline::engine {
namespace {

const char* role_of(const network::Node& node) {
  switch (node.role) {
    case network::Role::host:
      return "host";
    case network::Role::container:
      return "container";
    case network::Role::world:
      break;
  }
  return "world";
}

std::string kind_of(const network::Interface& interface) {
  if (!interface.kind_name.empty()) return interface.kind_name;
  switch (interface.kind) {
    case network::LinkKind::loopback:
      return "loopback";
    case network::LinkKind::veth:
      return "veth";
    case network::LinkKind::bridge:
      return "bridge";
    case network::LinkKind::other:
      break;
  }
  return "other";
}

DrawnInterface drawn(const network::Interface& interface) {
  DrawnInterface result;
  result.name = interface.name;
  result.kind = kind_of(interface);
  for (const InterfaceAddress& address : interface.addresses) result.addresses.push_back(address.to_string());
  result.master = interface.master;
  const auto& peer = interface.peer ? interface.peer : interface.lower;
  if (peer) result.peer = peer->node + ":" + peer->interface;
  result.up = interface.up;
  return result;
}

}  // namespace

std::vector<DrawnNode> drawn(const network::Topology& topology) {
  std::vector<DrawnNode> nodes;
  for (const network::Node& node : topology.nodes) {
    DrawnNode& result = nodes.emplace_back();
    result.name = node.name;
    result.role = role_of(node);
    for (const network::Interface& interface : node.interfaces) result.interfaces.push_back(drawn(interface));
  }
  return nodes;
}

}  // namespace plumbline::engine
