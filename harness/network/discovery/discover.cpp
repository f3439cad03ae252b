#include "harness/network/discovery/discover.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/route.hpp"
#include "harness/kernel/netlink/rule.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/network/discovery/peers.hpp"

namespace plumbline::network {
namespace {

namespace netlink = kernel::netlink;

LinkKind kind_of(const netlink::Link& link) {
  if (link.loopback) return LinkKind::loopback;
  if (link.kind == "veth") return LinkKind::veth;
  return link.kind == "bridge" ? LinkKind::bridge : LinkKind::other;
}

RouteType type_of(netlink::RouteKind kind) {
  switch (kind) {
    case netlink::RouteKind::unicast:
      return RouteType::unicast;
    case netlink::RouteKind::local:
      return RouteType::local;
    case netlink::RouteKind::blackhole:
      return RouteType::blackhole;
    case netlink::RouteKind::unreachable:
      return RouteType::unreachable;
    case netlink::RouteKind::prohibit:
      return RouteType::prohibit;
  }
  return RouteType::unicast;
}

using Names = std::map<unsigned, std::string>;  // of interfaces, by index

// Empty for 0, and for an interface that came or went while the node was read.
std::string name_of(const Names& names, unsigned index) {
  const auto found = names.find(index);
  return found == names.end() ? std::string() : found->second;
}

void read_interfaces(const std::vector<netlink::Link>& links, const Names& names, Node& node) {
  for (const netlink::Link& link : links) {
    Interface interface;
    interface.name = link.name;
    interface.kind = kind_of(link);
    interface.master = name_of(names, link.master);
    interface.mac = link.mac;
    interface.mtu = link.mtu;
    interface.up = link.up;
    interface.index = link.index;
    interface.running = link.running;
    interface.promiscuous = link.promiscuous;
    interface.kind_name = link.kind;
    node.interfaces.push_back(std::move(interface));
  }
}

void read_addresses(netlink::Socket& socket, const Names& names, Node& node) {
  for (const auto& each :
       socket.dump(netlink::get_addresses(), "listing the addresses", netlink::decode_address)) {
    Interface* interface = node.find_interface(name_of(names, each.index));
    if (interface == nullptr) continue;
    interface->addresses.push_back(each.address);
    if (each.deprecated) interface->deprecated.push_back(each.address.address);
    if (each.duplicate) {
      interface->duplicate.push_back(each.address.address);
    } else if (each.tentative) {
      interface->tentative.push_back(each.address.address);
    }
  }
}

void read_routes(netlink::Socket& socket, IpFamily family, const Names& names, Node& node) {
  for (const auto& routes :
       socket.dump(netlink::get_routes(family), "listing the routes", netlink::decode_routes)) {
    for (const netlink::Route& each : routes) {
      node.routes.push_back({each.to, each.via, name_of(names, each.dev), each.table, type_of(each.kind),
                             each.source, each.metric, each.automatic});
    }
  }
}

void read_rules(netlink::Socket& socket, IpFamily family, Node& node) {
  for (auto& each : socket.dump(netlink::get_rules(family), "listing the rules", netlink::decode_rule)) {
    node.rules.push_back({each.family, each.priority.value_or(0), each.from, each.to, std::move(each.iif),
                          std::move(each.oif), each.mark, each.table});
  }
}

void read_neighbours(netlink::Socket& socket, const Names& names, Node& node) {
  for (const auto& each :
       socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour)) {
    node.neighbours.push_back({each.address, each.mac, name_of(names, each.index)});
  }
}

// With slashes where the interface's name holds a dot, as kernel::write_sysctl takes it.
std::string interface_sysctl(const char* family, const std::string& interface, const char* leaf) {
  const char separator = interface.find('.') == std::string::npos ? '.' : '/';
  return fmt::format("net{0}{1}{0}conf{0}{2}{0}{3}", separator, family, interface, leaf);
}

// The interfaces' own come with the links; only the general ones are files.
void read_sysctls(const kernel::Netns& netns, const std::vector<netlink::Link>& links, Node& node) {
  for (const netlink::Link& link : links) {
    if (link.ipv4) {
      node.sysctls[interface_sysctl("ipv4", link.name, "forwarding")] = link.ipv4->forwarding ? "1" : "0";
      node.sysctls[interface_sysctl("ipv4", link.name, "rp_filter")] = fmt::to_string(link.ipv4->rp_filter);
    }
    if (link.ipv6) {
      node.sysctls[interface_sysctl("ipv6", link.name, "forwarding")] = link.ipv6->forwarding ? "1" : "0";
    }
  }
  for (const char* name :
       {"net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.ipv6.conf.all.forwarding",
        "net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables"}) {
    if (auto value = kernel::read_sysctl(netns, name)) node.sysctls[name] = std::move(*value);
  }
}

/// What the kernel cannot know.
void take_over(const LiveNetwork& network, const Topology& intended, Node& node) {
  if (const Node* wanted = intended.find(node.name)) {
    node.role = wanted->role;
    node.services = wanted->services;
    node.resolvers = wanted->resolvers;
    node.plant = wanted->plant;
    for (Interface& interface : node.interfaces) {
      const Interface* same = wanted->find_interface(interface.name);
      if (same != nullptr) interface.gateways = same->gateways;
    }
  } else if (network.adopted().contains(node.name)) {
    node.role = Role::container;
    if (const Node* host = intended.host()) node.resolvers = host->resolvers;
  }
}

NodeLinks read_node(const std::string& name, const kernel::Netns& netns, Node& node) {
  NodeLinks read{name, &netns, netlink::Socket::open(netns), {}};
  read.links = read.socket.dump(netlink::get_links(), "listing the links", netlink::decode_link);
  Names names;
  for (const netlink::Link& link : read.links) names.emplace(link.index, link.name);
  node.name = name;
  read_interfaces(read.links, names, node);
  read_addresses(read.socket, names, node);
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    read_routes(read.socket, family, names, node);
    read_rules(read.socket, family, node);
  }
  read_neighbours(read.socket, names, node);
  read_sysctls(netns, read.links, node);
  return read;
}

}  // namespace

Topology discover(const LiveNetwork& network, const Topology& intended) {
  Topology found;
  std::vector<NodeLinks> read;
  for (const auto& [name, netns] : network.nodes()) {
    try {
      read.push_back(read_node(name, netns, found.nodes.emplace_back()));
      take_over(network, intended, found.nodes.back());
    } catch (const Error& error) {
      throw error.within("node " + name);
    }
  }
  find_peers(read, found);
  return found;
}

Node discover_node(const LiveNetwork& network, std::string_view name, const Topology& intended) {
  const std::string node_name(name);
  Node node;
  try {
    read_node(node_name, network.netns(name), node);
    take_over(network, intended, node);
  } catch (const Error& error) {
    throw error.within("node " + node_name);
  }
  return node;
}

std::optional<Endpoint> discover_peer(const LiveNetwork& network, std::string_view node,
                                      std::string_view interface) {
  try {
    return find_peer(network, node, interface);
  } catch (const Error& error) {
    throw error.within(fmt::format("node {}", node));
  }
}

}  // namespace plumbline::network
