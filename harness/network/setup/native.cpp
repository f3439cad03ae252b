#include "harness/network/setup/native.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/base/error.hpp"
#include "harness/network/setup/native_rules.hpp"

namespace plumbline::network {
namespace {

constexpr std::uint32_t kFirstRulePriority =
    1000;  // before `main` at 32766, after what an administrator puts first

[[noreturn]] void refuse(const std::string& message) {
  throw Error(message, ErrorKind::usage);
}

Prefix anywhere(IpFamily family) {
  return Prefix(family == IpFamily::v4 ? IpAddress::v4({}) : IpAddress::v6({}), 0);
}

/// One call of expand.
class Expansion {
 public:
  Expansion(const NativeSetup& setup, const Topology& world) : setup_(setup), world_(world) {
    if (world.host() == nullptr) refuse("the setup needs a world with a host to stand in");
    known_ = world.host();
    host_.name = known_->name;
    host_.role = Role::host;
  }

  Topology expand() {
    check_uplinks();
    for (const NativeSetup::Bridge& bridge : setup_.bridges) add_bridge(bridge);
    for (const NativeSetup::Single& single : setup_.singles) add_single(single);
    if (setup_.forward) enable_forwarding();
    host_.firewall = native_rules(setup_);
    host_.nft_text = setup_.nft;
    host_.nft_origin = setup_.nft_origin;
    if (setup_.routing) add_routing();
    Topology addition;
    addition.nodes.push_back(std::move(host_));
    for (Node& container : containers_) addition.nodes.push_back(std::move(container));
    return addition;
  }

 private:
  void check_uplink(const std::string& name) const {
    if (known_->find_interface(name) != nullptr) return;
    refuse(fmt::format("{} has no interface {} to be an uplink", known_->name, name));
  }

  void check_uplinks() const {
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
      for (const std::string& uplink : setup_.masquerade_for(family)) check_uplink(uplink);
    }
    if (setup_.routing) check_uplink(setup_.routing->via);
    if (!setup_.forward) return;
    for (const std::string& uplink : setup_.forward->allow) check_uplink(uplink);
  }

  bool taken(const std::string& interface) const {
    return known_->find_interface(interface) != nullptr || host_.find_interface(interface) != nullptr ||
           std::any_of(setup_.bridges.begin(), setup_.bridges.end(),
                       [&](const NativeSetup::Bridge& bridge) { return bridge.name == interface; });
  }

  void add_bridge(const NativeSetup::Bridge& bridge) {
    if (known_->find_interface(bridge.name) != nullptr || host_.find_interface(bridge.name) != nullptr) {
      refuse(fmt::format("{} has an interface {} already", known_->name, bridge.name));
    }
    Interface interface;
    interface.name = bridge.name;
    interface.kind = LinkKind::bridge;
    interface.addresses = bridge.addresses;
    host_.interfaces.push_back(std::move(interface));
    for (const NativeSetup::Container& container : bridge.containers) add_container(bridge, container);
  }

  void add_container(const NativeSetup::Bridge& bridge, const NativeSetup::Container& container) {
    std::string port;
    do {
      port = fmt::format("veth{}", ++veths_);
    } while (taken(port));  // ends: the host has finitely many names
    Node node = new_container(container.name);
    cable(node, port, container.addresses).master = bridge.name;
    for (const InterfaceAddress& own : container.addresses) {
      const IpAddress gateway = gateway_for(node.name, own, bridge.addresses, bridge.name);
      if (bridge.default_route) node.routes.push_back(default_route(gateway));
    }
    containers_.push_back(std::move(node));
  }

  void add_single(const NativeSetup::Single& single) {
    Node node = new_container(single.name);
    if (!single.veth.empty()) {
      if (taken(single.veth))
        refuse(fmt::format("{} has an interface {} already", known_->name, single.veth));
      cable(node, single.veth, single.addresses).addresses = single.host_addresses;
    }
    if (single.default_route) {
      for (const InterfaceAddress& own : single.addresses) {
        node.routes.push_back(default_route(gateway_for(node.name, own, single.host_addresses, single.veth)));
      }
    }
    containers_.push_back(std::move(node));
  }

  Node new_container(const std::string& name) const {
    const auto same = [&](const Node& other) { return other.name == name; };
    if (world_.find(name) != nullptr || std::any_of(containers_.begin(), containers_.end(), same)) {
      refuse(fmt::format("there is a node {} already", name));
    }
    Node node;
    node.name = name;
    node.role = Role::container;
    node.resolvers = setup_.resolvers.empty() ? known_->resolvers : setup_.resolvers;
    return node;
  }

  /// Cables `node`'s eth0 to the host's `port`, which is returned.
  Interface& cable(Node& node, const std::string& port, const std::vector<InterfaceAddress>& addresses) {
    Interface eth0;
    eth0.name = "eth0";
    eth0.peer = Endpoint{host_.name, port};
    eth0.addresses = addresses;
    node.interfaces.push_back(std::move(eth0));
    Interface end;
    end.name = port;
    end.peer = Endpoint{node.name, "eth0"};
    return host_.interfaces.emplace_back(std::move(end));
  }

  static Route default_route(const IpAddress& gateway) {
    Route route;
    route.to = anywhere(gateway.family());
    route.via = gateway;
    route.dev = "eth0";
    return route;
  }

  static IpAddress gateway_for(const std::string& container, const InterfaceAddress& own,
                               const std::vector<InterfaceAddress>& gateways, const std::string& dev) {
    for (const InterfaceAddress& gateway : gateways) {
      if (gateway.network().contains(own.address)) return gateway.address;
    }
    refuse(fmt::format("container {}: {} is outside the network of {}", container, own.address.to_string(),
                       dev));
  }

  bool uses(IpFamily family) const {
    for (const NativeSetup::Bridge& bridge : setup_.bridges) {
      for (const InterfaceAddress& address : bridge.addresses) {
        if (address.address.family() == family) return true;
      }
    }
    for (const NativeSetup::Single& single : setup_.singles) {
      for (const InterfaceAddress& address : single.host_addresses) {
        if (address.address.family() == family) return true;
      }
    }
    return false;
  }

  void enable_forwarding() {
    host_.sysctls["net.ipv4.ip_forward"] = "1";
    if (uses(IpFamily::v6)) host_.sysctls["net.ipv6.conf.all.forwarding"] = "1";
  }

  void add_routing() {
    const NativeSetup::Routing& routing = *setup_.routing;
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
      if (!uses(family)) continue;
      Route out;
      out.to = anywhere(family);
      out.via = gateway_of(routing.via, family);
      out.dev = routing.via;
      out.table = routing.table;
      host_.routes.push_back(std::move(out));
    }
    for (const NativeSetup::Bridge& bridge : setup_.bridges) {
      for (const InterfaceAddress& address : bridge.addresses) route_bridge(bridge.name, address.network());
    }
  }

  IpAddress gateway_of(const std::string& uplink, IpFamily family) const {
    for (const IpAddress& gateway : known_->find_interface(uplink)->gateways) {
      if (gateway.family() == family) return gateway;
    }
    refuse(fmt::format("the world names no {} gateway for {} of {}", family == IpFamily::v4 ? "IPv4" : "IPv6",
                       uplink, known_->name));
  }

  /// The way back to the containers, and the rules that choose the table for what comes from them or goes to
  /// them.
  void route_bridge(const std::string& bridge, const Prefix& network) {
    const std::uint32_t table = setup_.routing->table;
    Route back;
    back.to = network;
    back.dev = bridge;
    back.table = table;
    host_.routes.push_back(std::move(back));
    std::array<RoutingRule, 4> rules{};
    rules[0].oif = bridge;
    rules[1].iif = bridge;
    rules[2].to = network;
    rules[3].from = network;
    for (RoutingRule& rule : rules) {
      rule.family = network.family();
      rule.priority = next_priority_++;
      rule.table = table;
      host_.rules.push_back(std::move(rule));
    }
  }

  const NativeSetup& setup_;
  const Topology& world_;
  const Node* known_ = nullptr;
  Node host_;
  std::vector<Node> containers_;
  unsigned veths_ = 0;
  std::uint32_t next_priority_ = kFirstRulePriority;
};

}  // namespace

Topology expand(const NativeSetup& setup, const Topology& world) {
  return Expansion(setup, world).expand();
}

}  // namespace plumbline::network
