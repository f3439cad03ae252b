#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof::testing {

/// container-one - (bridge0) host - (ens4) gateway - internet, and host - (ens5) gateway-two - internet, all
/// well; nothing of the probe from container-one to internet is seen yet.
class Ways : public ::testing::Test {
 protected:
  using Role = network::Role;

  Ways() {
    facts.network.nodes.reserve(8);
    network::Node& container = facts.add("container-one", Role::container);
    cable(container, "eth0", "192.168.99.11/24", {"host", "veth1"});
    network::Node& host = facts.add("host", Role::host);
    cable(host, "veth1", "", {"container-one", "eth0"}).master = "bridge0";
    network::Interface& bridge = cable(host, "bridge0", "192.168.99.1/24", {});
    bridge.kind = network::LinkKind::bridge;
    bridge.peer.reset();
    cable(host, "ens4", "192.168.16.10/24", {"gateway", "lan"}).gateways = {ip("192.168.16.1")};
    cable(host, "ens5", "192.168.17.10/24", {"gateway-two", "lan"}).gateways = {ip("192.168.17.1")};
    network::Node& gateway = facts.add("gateway", Role::world);
    cable(gateway, "lan", "192.168.16.1/24", {"host", "ens4"});
    cable(gateway, "wan", "198.18.0.1/24", {"internet", "eth0"});
    network::Node& second = facts.add("gateway-two", Role::world);
    cable(second, "lan", "192.168.17.1/24", {"host", "ens5"});
    cable(second, "wan", "198.18.2.2/24", {"internet", "eth1"});
    network::Node& internet = facts.add("internet", Role::world);
    cable(internet, "eth0", "198.18.0.80/24", {"gateway", "wan"});
    cable(internet, "eth1", "198.18.2.80/24", {"gateway-two", "wan"});
    network::Interface& lo = cable(internet, "lo", "203.0.113.80/32", {});
    lo.kind = network::LinkKind::loopback;
    lo.peer.reset();
    route("container-one", "203.0.113.80", "192.168.99.1", "eth0");
    route("host", "203.0.113.80", "192.168.16.1", "ens4");
    route("host", "192.168.99.11", "", "bridge0");
    route("gateway", "203.0.113.80", "198.18.0.80", "wan");
    route("gateway", "192.168.16.10", "", "lan");
    route("internet", "192.168.16.10", "198.18.0.1", "eth0");
  }

  static network::Interface& cable(network::Node& node, const std::string& name, std::string_view address,
                                   network::Endpoint peer) {
    network::Interface& made = node.interfaces.emplace_back();
    made.name = name;
    made.peer = std::move(peer);
    if (!address.empty()) made.addresses.push_back(InterfaceAddress::parse(address).value());
    return made;
  }

  /// What the kernel of `node` answers.
  void route(const std::string& node, const std::string& to, std::string_view via, const std::string& dev,
             std::uint32_t table = network::kMainTable) {
    RouteAnswer answer;
    if (!via.empty()) answer.via = ip(via);
    answer.dev = dev;
    answer.table = table;
    facts.routes[node + " " + to] = answer;
  }
  void no_route(const std::string& node, const std::string& to, int error = ENETUNREACH) {
    RouteAnswer answer;
    answer.error = error;
    facts.routes[node + " " + to] = answer;
  }
  /// What stands in its tables.
  network::Route& in_table(std::string_view node, std::string_view to, std::string_view via,
                           const std::string& dev, std::uint32_t table = network::kMainTable) {
    network::Route& made = facts.network.find(node)->routes.emplace_back();
    made.to = Prefix::parse(to).value();
    if (!via.empty()) made.via = ip(via);
    made.dev = dev;
    made.table = table;
    return made;
  }
  void mtu(const std::string& node, const std::string& interface, std::uint32_t bytes) {
    kernel::netlink::Link& link = facts.links[node + ":" + interface];
    link.name = interface;
    link.up = link.running = true;
    link.mtu = bytes;
  }

  void see(Leg leg, const std::string& node, const std::string& interface, traffic::Direction direction,
           std::string_view source, std::string_view destination, std::uint8_t ttl = 64) {
    testing::see(question, leg, node, interface, direction, source, destination, ttl);
  }
  Sighting& last() { return question.journey.sightings.back(); }

  /// The probe leaves container-one and comes to the host.
  void to_host() {
    see(Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11", "203.0.113.80");
    see(Leg::forward, "host", "veth1", traffic::Direction::in, "192.168.99.11", "203.0.113.80");
    see(Leg::forward, "host", "bridge0", traffic::Direction::in, "192.168.99.11", "203.0.113.80");
  }
  void to_gateway(std::string_view source = "192.168.16.10") {
    to_host();
    see(Leg::forward, "host", "ens4", traffic::Direction::out, source, "203.0.113.80", 63);
    see(Leg::forward, "gateway", "lan", traffic::Direction::in, source, "203.0.113.80", 63);
  }
  void to_internet(std::string_view source = "192.168.16.10") {
    to_gateway(source);
    see(Leg::forward, "gateway", "wan", traffic::Direction::out, source, "203.0.113.80", 62);
    see(Leg::forward, "internet", "eth0", traffic::Direction::in, source, "203.0.113.80", 62);
  }

  FakeFacts facts;
  Case question = unanswered();
};

}  // namespace plumbline::proof::testing
