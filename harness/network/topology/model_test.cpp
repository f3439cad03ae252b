#include "harness/network/topology/model.hpp"

#include <gtest/gtest.h>

#include "harness/network/topology/cabling.hpp"

namespace plumbline::network {
namespace {

Topology two_nodes() {
  Topology topology;
  topology.nodes.resize(2);
  topology.nodes[0].name = "router";
  topology.nodes[1].name = "host";
  topology.nodes[1].role = Role::host;
  Interface ens4;
  ens4.name = "ens4";
  ens4.addresses = {InterfaceAddress::parse("192.168.16.10/24").value()};
  topology.nodes[1].interfaces = {ens4};
  return topology;
}

Route local(const char* to) {
  Route route;
  route.to = Prefix::parse(to).value();
  route.type = RouteType::local;
  return route;
}

TEST(Topology, FindsByExactName) {
  Topology topology = two_nodes();
  EXPECT_EQ(topology.find("host"), &topology.nodes[1]);
  EXPECT_EQ(topology.find("hos"), nullptr);
  EXPECT_EQ(topology.host(), &topology.nodes[1]);
  EXPECT_NE(topology.nodes[1].find_interface("ens4"), nullptr);
  EXPECT_EQ(topology.nodes[1].find_interface("ens5"), nullptr);
}

TEST(Topology, WithoutAHost) {
  EXPECT_EQ(Topology{}.host(), nullptr);
}

TEST(Topology, OwnerHoldsTheAddress) {
  Topology topology = two_nodes();
  topology.nodes[0].routes = {local("192.168.0.0/16")};
  // An address held beats a route over it, whatever the order of nodes.
  EXPECT_EQ(topology.owner_of(IpAddress::parse("192.168.16.10").value()), &topology.nodes[1]);
  EXPECT_EQ(topology.owner_of(IpAddress::parse("192.168.16.11").value()), &topology.nodes[0]);
  EXPECT_EQ(topology.owner_of(IpAddress::parse("10.0.0.1").value()), nullptr);
}

TEST(Topology, LongestLocalRouteOwns) {
  Topology topology = two_nodes();
  topology.nodes[0].routes = {local("10.0.0.0/8")};
  topology.nodes[1].routes = {local("10.1.0.0/16")};
  EXPECT_EQ(topology.owner_of(IpAddress::parse("10.1.2.3").value()), &topology.nodes[1]);
  EXPECT_EQ(topology.owner_of(IpAddress::parse("10.2.2.3").value()), &topology.nodes[0]);
}

TEST(Topology, OnlyLocalRoutesOwn) {
  Topology topology = two_nodes();
  Route unicast = local("10.0.0.0/8");
  unicast.type = RouteType::unicast;
  topology.nodes[0].routes = {unicast};
  EXPECT_EQ(topology.owner_of(IpAddress::parse("10.1.2.3").value()), nullptr);
}

TEST(Cabling, ThePortLeads) {
  Interface port;
  port.name = "port1";
  port.peer = Endpoint{"a", "eth0"};
  port.master = "bridge0";
  Interface eth0;
  eth0.name = "eth0";
  eth0.peer = Endpoint{"host", "port1"};
  EXPECT_TRUE(leads(port, {"host", "port1"}, eth0));
  EXPECT_FALSE(leads(eth0, {"a", "eth0"}, port));
}

TEST(Cabling, ExactlyOneEndLeads) {
  Interface left;
  left.name = "left";
  left.peer = Endpoint{"same", "right"};
  Interface right;
  right.name = "right";
  right.peer = Endpoint{"same", "left"};
  EXPECT_NE(leads(left, {"same", "left"}, right), leads(right, {"same", "right"}, left));
  left.master = right.master = "bridge0";
  EXPECT_NE(leads(left, {"same", "left"}, right), leads(right, {"same", "right"}, left));
}

}  // namespace
}  // namespace plumbline::network
