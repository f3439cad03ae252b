#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "harness/base/error.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::network {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}
InterfaceAddress address(const char* text) {
  return InterfaceAddress::parse(text).value();
}

Interface veth(const char* name, const char* node, const char* interface) {
  Interface made;
  made.name = name;
  made.peer = Endpoint{node, interface};
  return made;
}

// host (bridge0: 192.168.99.1/24, 2001:db8:99::1/64)
//   ├─ port1 ─ eth0 one (.11, ::11)
//   └─ port2 ─ eth0 two (.12, ::12)
Topology bridged() {
  Topology topology;
  Node host;
  host.name = "host";
  host.role = Role::host;
  Interface bridge;
  bridge.name = "bridge0";
  bridge.kind = LinkKind::bridge;
  bridge.mac = MacAddress::parse("02:00:00:00:99:01");
  bridge.addresses = {address("192.168.99.1/24"), address("2001:db8:99::1/64")};
  Interface port1 = veth("port1", "one", "eth0");
  port1.master = "bridge0";
  Interface port2 = veth("port2", "two", "eth0");
  port2.master = "bridge0";
  host.interfaces = {bridge, port1, port2};
  host.sysctls = {{"net.ipv4.ip_forward", "1"}, {"net.ipv4.conf.bridge0.rp_filter", "2"}};
  Route elsewhere;
  elsewhere.via = ip("192.168.99.12");
  elsewhere.dev = "bridge0";
  elsewhere.table = 88;
  Route internal;
  internal.to = prefix("10.0.0.0/8");
  internal.table = 880;  // beyond what rtm_table holds
  internal.type = RouteType::prohibit;
  internal.metric = 7;
  host.routes = {elsewhere, internal};
  RoutingRule from;
  from.priority = 1000;
  from.from = prefix("192.168.99.0/24");
  from.iif = "bridge0";
  from.table = 88;
  RoutingRule marked;
  marked.family = IpFamily::v6;
  marked.priority = 1001;
  marked.to = prefix("2001:db8:ffff::/48");
  marked.mark = 0x51;
  marked.table = 880;
  host.rules = {from, marked};
  host.neighbours = {{ip("192.168.99.200"), MacAddress::parse("02:00:00:00:00:c8").value(), "bridge0"}};
  topology.nodes.push_back(host);

  int last = 11;
  for (const char* name : {"one", "two"}) {
    Node node;
    node.name = name;
    node.role = Role::container;
    node.plant = false;
    node.resolvers = {ip("192.168.16.53")};
    Interface eth0 = veth("eth0", "host", last == 11 ? "port1" : "port2");
    const std::string suffix = std::to_string(last);
    eth0.addresses = {address(("192.168.99." + suffix + "/24").c_str()),
                      address(("2001:db8:99::" + suffix + "/64").c_str())};
    eth0.mtu = 1400;
    node.interfaces = {eth0};
    Route v4;
    v4.via = ip("192.168.99.1");
    Route v6;
    v6.to = prefix("::/0");
    v6.via = ip("2001:db8:99::1");
    v6.metric = 512;
    Route local;
    local.to = prefix("10.66.0.0/16");
    local.type = RouteType::local;
    local.table = kLocalTable;
    local.dev = "lo";
    node.routes = {v4, v6, local};
    topology.nodes.push_back(node);
    ++last;
  }
  return topology;
}

bool same(const Route& left, const Route& right) {
  return left.to == right.to && left.via == right.via && left.table == right.table &&
         left.type == right.type && left.source == right.source && left.metric == right.metric;
}

bool same(const RoutingRule& left, const RoutingRule& right) {
  return left.family == right.family && left.priority == right.priority && left.from == right.from &&
         left.to == right.to && left.iif == right.iif && left.oif == right.oif && left.mark == right.mark &&
         left.table == right.table;
}

void expect_interface(const Interface& wanted, const Node& found_node) {
  SCOPED_TRACE(found_node.name + ":" + wanted.name);
  const Interface* found = found_node.find_interface(wanted.name);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->kind, wanted.kind);
  EXPECT_EQ(found->peer, wanted.peer);
  EXPECT_EQ(found->master, wanted.master);
  EXPECT_TRUE(found->up);
  EXPECT_TRUE(found->running);
  EXPECT_NE(found->index, 0U);
  if (wanted.mtu != 0) {
    EXPECT_EQ(found->mtu, wanted.mtu);
  }
  if (wanted.mac) {
    EXPECT_EQ(found->mac, wanted.mac);
  }
  for (const InterfaceAddress& each : wanted.addresses) {
    EXPECT_THAT(found->addresses, ::testing::Contains(each)) << each.to_string();
  }
}

void expect_node(const Node& wanted, const Topology& found) {
  SCOPED_TRACE(wanted.name);
  const Node* node = found.find(wanted.name);
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->role, wanted.role);
  EXPECT_EQ(node->plant, wanted.plant);
  EXPECT_EQ(node->resolvers, wanted.resolvers);
  for (const Interface& each : wanted.interfaces) expect_interface(each, *node);
  for (const Route& each : wanted.routes) {
    const auto hit = std::find_if(node->routes.begin(), node->routes.end(),
                                  [&](const Route& route) { return same(route, each); });
    ASSERT_NE(hit, node->routes.end()) << each.to.to_string() << " table " << each.table;
    EXPECT_FALSE(hit->automatic);
    if (!each.dev.empty()) {
      EXPECT_EQ(hit->dev, each.dev);
    }
  }
  for (const RoutingRule& each : wanted.rules) {
    EXPECT_TRUE(std::any_of(node->rules.begin(), node->rules.end(),
                            [&](const RoutingRule& rule) { return same(rule, each); }))
        << "priority " << each.priority;
  }
  for (const auto& [name, value] : wanted.sysctls) {
    ASSERT_TRUE(node->sysctls.contains(name)) << name;
    EXPECT_EQ(node->sysctls.at(name), value) << name;
  }
}

TEST(Discover, ReadsBackWhatWasAskedFor) {
  const Topology wanted = bridged();
  LiveNetwork network;
  network.build(wanted);
  const Topology found = discover(network, wanted);
  ASSERT_EQ(found.nodes.size(), wanted.nodes.size());
  for (const Node& node : wanted.nodes) expect_node(node, found);
  const Node& host = *found.host();
  const auto neighbour =
      std::find_if(host.neighbours.begin(), host.neighbours.end(),
                   [](const Neighbour& each) { return each.address == ip("192.168.99.200"); });
  ASSERT_NE(neighbour, host.neighbours.end());
  EXPECT_EQ(neighbour->mac.to_string(), "02:00:00:00:00:c8");
  EXPECT_EQ(neighbour->dev, "bridge0");
}

TEST(Discover, TellsWhatTheKernelMadeByItself) {
  const Topology wanted = bridged();
  LiveNetwork network;
  network.build(wanted);
  const Topology found = discover(network, wanted);
  const Node& one = *found.find("one");
  ASSERT_NE(one.find_interface("lo"), nullptr);
  EXPECT_EQ(one.find_interface("lo")->kind, LinkKind::loopback);
  EXPECT_TRUE(one.find_interface("lo")->up);
  const auto& addresses = one.find_interface("eth0")->addresses;
  EXPECT_TRUE(std::any_of(addresses.begin(), addresses.end(), [](const InterfaceAddress& each) {
    return !each.address.is_v4() && each.address.is_link_local();
  }));
  const auto connected = std::find_if(one.routes.begin(), one.routes.end(),
                                      [](const Route& each) { return each.to == prefix("192.168.99.0/24"); });
  ASSERT_NE(connected, one.routes.end());
  EXPECT_TRUE(connected->automatic);
  EXPECT_EQ(connected->source, ip("192.168.99.11"));
  EXPECT_TRUE(std::any_of(one.rules.begin(), one.rules.end(), [](const RoutingRule& each) {
    return each.priority == 32766 && each.table == kMainTable;
  }));
}

TEST(Discover, FindsPeersWhereIndicesAndNamesAreAlike) {
  // Four nodes in two pairs: every end is called eth0 and has the same index.
  Topology wanted;
  for (const auto& [name, other] : {std::pair("a", "c"), {"b", "d"}, {"c", "a"}, {"d", "b"}}) {
    Node node;
    node.name = name;
    node.interfaces = {veth("eth0", other, "eth0")};
    wanted.nodes.push_back(node);
  }
  LiveNetwork network;
  network.build(wanted);
  const Topology found = discover(network, wanted);
  for (const Node& node : wanted.nodes) {
    const Interface* eth0 = found.find(node.name)->find_interface("eth0");
    ASSERT_NE(eth0, nullptr);
    EXPECT_EQ(eth0->peer, node.interfaces.front().peer) << node.name;
  }
}

TEST(Discover, TellsWhatAMacvlanLiesOn) {
  const Topology wanted = bridged();
  LiveNetwork network;
  network.build(wanted);
  const auto run = [&](const char* node, const char* command) {
    const kernel::Netns::Entered inside = network.netns(node).enter();
    ASSERT_EQ(std::system(command), 0);
  };
  run("host", "ip link add above link bridge0 type macvlan mode bridge");
  run("two", "ip link add lan link eth0 type macvlan mode bridge");
  const std::string move =
      fmt::format("ip link set lan netns /proc/{}/fd/{}", ::getpid(), network.netns("one").fd());
  run("two", move.c_str());
  const Topology found = discover(network, wanted);
  EXPECT_EQ(found.find("host")->find_interface("above")->lower, (Endpoint{"host", "bridge0"}));
  EXPECT_EQ(found.find("one")->find_interface("lan")->lower, (Endpoint{"two", "eth0"}));
  EXPECT_EQ(found.find("two")->find_interface("eth0")->lower, std::nullopt);
}

TEST(Discover, FindsAPeerInTheSameNode) {
  Topology wanted;
  wanted.nodes.emplace_back();
  wanted.nodes[0].name = "alone";
  wanted.nodes[0].interfaces = {veth("left", "alone", "right"), veth("right", "alone", "left")};
  LiveNetwork network;
  network.build(wanted);
  const Topology found = discover(network, wanted);
  EXPECT_EQ(found.nodes[0].find_interface("left")->peer, (Endpoint{"alone", "right"}));
  EXPECT_EQ(found.nodes[0].find_interface("right")->peer, (Endpoint{"alone", "left"}));
}

TEST(Discover, WhatItReadsCanBeBuilt) {
  const Topology wanted = bridged();
  Topology first;
  {
    LiveNetwork network;
    network.build(wanted);
    first = discover(network, wanted);
  }
  LiveNetwork twin;
  twin.build(first);
  const Topology second = discover(twin, first);
  for (const Node& node : wanted.nodes) expect_node(node, second);
  for (const Node& node : first.nodes) {
    SCOPED_TRACE(node.name);
    EXPECT_EQ(second.find(node.name)->routes.size(), node.routes.size());
    EXPECT_EQ(second.find(node.name)->rules.size(), node.rules.size());
    for (const Interface& each : node.interfaces) {
      EXPECT_EQ(second.find(node.name)->find_interface(each.name)->mac, each.mac) << each.name;
    }
  }
}

TEST(Discover, ReadsOneNodeAsItIsNow) {
  const Topology wanted = bridged();
  LiveNetwork network;
  network.build(wanted);
  Topology later;
  later.nodes.emplace_back();
  later.nodes[0].name = "one";
  Interface added;
  added.name = "eth0";
  added.addresses = {address("192.168.99.111/24")};
  later.nodes[0].interfaces = {added};
  network.build(later);
  const Node one = discover_node(network, "one", wanted);
  EXPECT_FALSE(one.plant) << "taken over";
  ASSERT_NE(one.find_interface("eth0"), nullptr);
  EXPECT_THAT(one.find_interface("eth0")->addresses, ::testing::Contains(address("192.168.99.111/24")));
  EXPECT_THROW(discover_node(network, "three", wanted), Error);
}

TEST(Discover, FindsOnePeer) {
  const Topology wanted = bridged();
  LiveNetwork network;
  network.build(wanted);
  EXPECT_EQ(discover_peer(network, "two", "eth0"), (Endpoint{"host", "port2"}));
  EXPECT_EQ(discover_peer(network, "host", "port1"), (Endpoint{"one", "eth0"}));
  EXPECT_EQ(discover_peer(network, "host", "bridge0"), std::nullopt);
  EXPECT_EQ(discover_peer(network, "host", "port3"), std::nullopt);
  Topology alone;
  alone.nodes.emplace_back();
  alone.nodes[0].name = "alone";
  alone.nodes[0].interfaces = {veth("left", "alone", "right"), veth("right", "alone", "left")};
  network.build(alone);
  EXPECT_EQ(discover_peer(network, "alone", "left"), (Endpoint{"alone", "right"}));
}

}  // namespace
}  // namespace plumbline::network
