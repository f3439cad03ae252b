#include "harness/engine/inference/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/base/text.hpp"

namespace plumbline::engine {
namespace {

using network::Interface;
using network::LinkKind;
using network::Node;

std::vector<InterfaceAddress> known_to_others(const Interface& interface) {
  std::vector<InterfaceAddress> addresses;
  for (const InterfaceAddress& each : interface.addresses) {
    if (each.address.is_v4() || !each.address.is_link_local()) addresses.push_back(each);
  }
  return addresses;
}

/// Whether something may come in by it: not by what the kernel gives to every namespace (tunl0, sit0).
bool leads_out(const Interface& interface) {
  if (interface.kind == LinkKind::loopback) return false;
  return interface.kind != LinkKind::other || interface.lower || interface.up || !interface.addresses.empty();
}

/// The network whose owner says that it gave the node one of these addresses.
const network::NamedNetwork* network_of(const network::HostView& view, const Member& member) {
  const network::FoundNode* node = view.find(member.node);
  if (node == nullptr) return nullptr;
  for (const network::Membership& membership : node->memberships) {
    const bool its = std::ranges::any_of(member.addresses, [&](const InterfaceAddress& held) {
      return std::ranges::find(membership.addresses, held.address) != membership.addresses.end();
    });
    if (!its) continue;
    const auto found = std::ranges::find_if(view.networks, [&](const network::NamedNetwork& network) {
      return network.owner == membership.owner && network.name == membership.network;
    });
    if (found != view.networks.end()) return &*found;
  }
  return nullptr;
}

class Builder {
 public:
  explicit Builder(const network::HostView& view) : view_(view), host_(view.topology.host()) {}

  Layout build() {
    Layout layout;
    if (host_ == nullptr) return layout;
    for (const Interface& interface : host_->interfaces) {
      if (interface.kind == LinkKind::bridge) segment(interface.name);
    }
    for (const Node& node : view_.topology.nodes) {
      if (&node != host_) place(node, layout);
    }
    for (auto& [dev, segment] : segments_) layout.segments.push_back(std::move(segment));
    return layout;
  }

 private:
  Segment& segment(const std::string& dev) {
    const auto [found, fresh] = segments_.try_emplace(dev);
    if (fresh) {
      const Interface* interface = host_->find_interface(dev);
      found->second.dev = dev;
      found->second.bridge = interface != nullptr && interface->kind == LinkKind::bridge;
      if (interface != nullptr) found->second.host_addresses = known_to_others(*interface);
    }
    return found->second;
  }

  void place(const Node& node, Layout& layout) {
    bool addressed = false;
    const Interface* bare = nullptr;
    for (const Interface& interface : node.interfaces) {
      if (interface.kind == LinkKind::loopback) continue;
      std::vector<InterfaceAddress> addresses = known_to_others(interface);
      if (addresses.empty()) {
        if (bare == nullptr && leads_out(interface)) bare = &interface;
        continue;
      }
      addressed = true;
      if (!interface.peer || interface.peer->node != host_->name) {
        layout.others.push_back(described(node, interface));
        continue;
      }
      const Interface* end = host_->find_interface(interface.peer->interface);
      if (end == nullptr) continue;
      add(segment(end->master.empty() ? end->name : end->master),
          {node.name, interface.name, std::move(addresses)});
    }
    if (addressed) return;
    // By a link-local address, or as a bridge, it may be reached, and reach others, all the same.
    if (bare != nullptr) {
      layout.others.push_back(described(node, *bare) + ", without an address that others know");
    } else {
      layout.alone.push_back(node.name);
    }
  }

  void add(Segment& segment, Member member) {
    const bool there =
        std::ranges::find(segment.members, member.node, &Member::node) != segment.members.end();
    if (there) return;
    if (segment.network == nullptr) segment.network = network_of(view_, member);
    segment.members.push_back(std::move(member));
  }

  static std::string described(const Node& node, const Interface& interface) {
    const auto& other = interface.lower ? interface.lower : interface.peer;
    const std::string kind = interface.kind_name.empty() ? "a link" : interface.kind_name;
    const std::string where =
        other ? fmt::format(" {} {}:{}", interface.lower ? "on" : "to", other->node, other->interface)
        : interface.kind == LinkKind::veth ? " to a namespace that was not found"
                                           : "";
    return fmt::format("{}: {} is {}{}", node.name, printable(interface.name), kind, where);
  }

  const network::HostView& view_;
  const Node* host_;
  std::map<std::string, Segment> segments_;
};

}  // namespace

const IpAddress* Member::address(IpFamily family) const {
  const auto found = std::ranges::find(addresses, family,
                                       [](const InterfaceAddress& each) { return each.address.family(); });
  return found == addresses.end() ? nullptr : &found->address;
}

std::string Segment::title() const {
  std::string inside = printable(dev);
  for (const InterfaceAddress& address : host_addresses) inside += ", " + address.to_string();
  if (network == nullptr) return fmt::format("{}{}", bridge ? "bridge " : "cable ", inside);
  return fmt::format("{} network {}{} ({})", network->owner, printable(network->name),
                     network->internal ? ", internal" : "", inside);
}

Layout lay_out(const network::HostView& view) {
  return Builder(view).build();
}

}  // namespace plumbline::engine
