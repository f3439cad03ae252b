#include "harness/network/topology/model.hpp"

#include <algorithm>

namespace plumbline::network {
namespace {

template <class Range>
auto* by_name(Range& range, std::string_view name) {
  const auto found =
      std::find_if(range.begin(), range.end(), [name](const auto& each) { return each.name == name; });
  return found == range.end() ? nullptr : &*found;
}

// The longest local claim of `node` on `address`, in bits; -1: none.
int claim(const Node& node, const IpAddress& address) {
  for (const Interface& interface : node.interfaces) {
    for (const InterfaceAddress& own : interface.addresses) {
      if (own.address == address) return address.bits();
    }
  }
  int longest = -1;
  for (const Route& route : node.routes) {
    if (route.type == RouteType::local && route.to.contains(address)) {
      longest = std::max(longest, route.to.length());
    }
  }
  return longest;
}

}  // namespace

Interface* Node::find_interface(std::string_view interface_name) {
  return by_name(interfaces, interface_name);
}

const Interface* Node::find_interface(std::string_view interface_name) const {
  return by_name(interfaces, interface_name);
}

Node* Topology::find(std::string_view name) {
  return by_name(nodes, name);
}

const Node* Topology::find(std::string_view name) const {
  return by_name(nodes, name);
}

const Node* Topology::host() const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [](const Node& node) { return node.role == Role::host; });
  return found == nodes.end() ? nullptr : &*found;
}

const Node* Topology::owner_of(const IpAddress& address) const {
  const Node* owner = nullptr;
  int longest = -1;
  for (const Node& node : nodes) {
    const int bits = claim(node, address);
    if (bits <= longest) continue;
    longest = bits;
    owner = &node;
  }
  return owner;
}

std::vector<InterfaceAddress> known_addresses(const Node& node, IpFamily family) {
  std::vector<InterfaceAddress> own;
  std::vector<InterfaceAddress> others;
  for (const Interface& interface : node.interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      const bool usable =
          !held.address.is_loopback() && !(held.address.is_link_local() && !held.address.is_v4());
      if (held.address.family() != family || !usable) continue;
      (interface.kind == LinkKind::loopback ? own : others).push_back(held);
    }
  }
  own.insert(own.end(), others.begin(), others.end());
  return own;
}

}  // namespace plumbline::network
