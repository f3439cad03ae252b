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
    for (const std::string& uplink : setup_.masquerade) check_uplink(uplink);
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
    const auto same = [&](const Node& other) { return other.name == container.name; };
    if (world_.find(container.name) != nullptr || std::any_of(containers_.begin(), containers_.end(), same)) {
      refuse(fmt::format("there is a node {} already", container.name));
    }
    Interface port;
    do {
      port.name = fmt::format("veth{}", ++veths_);
    } while (taken(port.name));  // ends: the host has finitely many names
    port.peer = Endpoint{container.name, "eth0"};
    port.master = bridge.name;
    Node node;
    node.name = container.name;
    node.role = Role::container;
    Interface eth0;
    eth0.name = "eth0";
    eth0.peer = Endpoint{host_.name, port.name};
    eth0.addresses = container.addresses;
    node.interfaces.push_back(std::move(eth0));
    for (const InterfaceAddress& own : container.addresses) add_default_route(node, bridge, own);
    node.resolvers = setup_.resolvers.empty() ? known_->resolvers : setup_.resolvers;
    host_.interfaces.push_back(std::move(port));
    containers_.push_back(std::move(node));
  }

  static void add_default_route(Node& node, const NativeSetup::Bridge& bridge, const InterfaceAddress& own) {
    for (const InterfaceAddress& gateway : bridge.addresses) {
      if (!gateway.network().contains(own.address)) continue;
      Route route;
      route.to = anywhere(own.address.family());
      route.via = gateway.address;
      route.dev = "eth0";
      node.routes.push_back(std::move(route));
      return;
    }
    refuse(fmt::format("container {}: {} is outside the network of {}", node.name, own.address.to_string(),
                       bridge.name));
  }

  bool uses(IpFamily family) const {
    for (const NativeSetup::Bridge& bridge : setup_.bridges) {
      for (const InterfaceAddress& address : bridge.addresses) {
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
