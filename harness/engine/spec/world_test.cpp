#include <gtest/gtest.h>

#include <algorithm>

#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/testing/files.hpp"

namespace plumbline::spec {
namespace {

using network::LinkKind;
using network::Role;
using network::RouteType;
using network::Topology;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

const network::Route* route_to(const network::Node& node, const char* prefix) {
  const auto found = std::find_if(node.routes.begin(), node.routes.end(), [&](const network::Route& route) {
    return route.to == *Prefix::parse(prefix);
  });
  return found == node.routes.end() ? nullptr : &*found;
}

Topology diy() {
  return load_world(PLUMBLINE_SOURCE_DIR "/fixtures/worlds/diy.yaml");
}

TEST(SpecWorldDiy, TheHostAndItsUplinks) {
  const Topology world = diy();
  const network::Node* host = world.host();
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->name, "host");
  ASSERT_EQ(host->interfaces.size(), 2U);
  const network::Interface* ens4 = host->find_interface("ens4");
  EXPECT_EQ(ens4->addresses.at(0).to_string(), "192.168.16.10/24");
  EXPECT_EQ(ens4->addresses.at(1).to_string(), "2001:db8:16::10/64");
  EXPECT_EQ(ens4->gateways.at(0), ip("192.168.16.1"));
  EXPECT_EQ(host->find_interface("ens5")->gateways.at(0), ip("192.168.17.1"));
  EXPECT_EQ(route_to(*host, "0.0.0.0/0")->via, ip("192.168.16.1"));
  EXPECT_EQ(route_to(*host, "::/0")->via, ip("2001:db8:16::1"));
  EXPECT_EQ(host->resolvers, (std::vector{ip("192.168.16.53"), ip("2001:db8:16::53")}));
  EXPECT_EQ(host->sysctls.at("net.ipv4.ip_forward"), "0");
  EXPECT_TRUE(host->firewall.tables.empty());
}

TEST(SpecWorldDiy, WhoAnswersForWhat) {
  const Topology world = diy();
  const auto owner = [&](const char* address) {
    const network::Node* node = world.owner_of(ip(address));
    return node == nullptr ? std::string() : node->name;
  };
  EXPECT_EQ(owner("203.0.113.80"), "internet");
  EXPECT_EQ(owner("2001:db8:ffff::80"), "internet");
  EXPECT_EQ(owner("198.51.100.53"), "public-resolver");
  EXPECT_EQ(owner("192.168.16.53"), "lan-resolver");
  EXPECT_EQ(owner("192.168.16.66"), "lan-peer");
  EXPECT_EQ(owner("192.168.16.1"), "gateway");
  EXPECT_EQ(owner("192.168.17.1"), "gateway-two");
  EXPECT_EQ(owner("169.254.169.254"), "metadata");
  for (const char* address :
       {"10.1.2.3", "172.16.5.5", "192.168.44.4", "100.64.0.7", "fd00:1::3", "10.200.0.1"}) {
    EXPECT_EQ(owner(address), "internal") << address;
  }
  EXPECT_EQ(owner("8.8.8.8"), "");
}

TEST(SpecWorldDiy, CablesMeetAndSwitchesJoin) {
  const Topology world = diy();
  for (const network::Node& node : world.nodes) {
    for (const network::Interface& interface : node.interfaces) {
      if (interface.kind != LinkKind::veth) continue;
      ASSERT_TRUE(interface.peer) << node.name << interface.name;
      const network::Node* other = world.find(interface.peer->node);
      ASSERT_NE(other, nullptr);
      const network::Interface* end = other->find_interface(interface.peer->interface);
      ASSERT_NE(end, nullptr);
      EXPECT_EQ(end->peer, (network::Endpoint{node.name, interface.name}));
    }
  }
  const network::Node* lan = world.find("lan");
  ASSERT_NE(lan, nullptr);
  EXPECT_EQ(lan->role, Role::world);
  EXPECT_EQ(lan->interfaces.size(), 6U);
  EXPECT_EQ(lan->find_interface("bridge")->kind, LinkKind::bridge);
  EXPECT_EQ(lan->find_interface("host")->master, "bridge");
  EXPECT_EQ(world.find("lan-two"), nullptr) << "two plugs are one cable";
  EXPECT_EQ(world.host()->find_interface("ens5")->peer, (network::Endpoint{"gateway-two", "lan"}));
}

TEST(SpecWorldDiy, RoutesInsideALocalRangeGoBeforeIt) {
  const Topology world = diy();
  const network::Node* internal = world.find("internal");
  const network::Route* lan = route_to(*internal, "192.168.16.0/24");
  EXPECT_EQ(lan->table, network::kLocalTable);
  EXPECT_EQ(lan->type, RouteType::unicast);
  const network::Route* range = route_to(*internal, "192.168.0.0/16");
  EXPECT_EQ(range->type, RouteType::local);
  EXPECT_EQ(range->dev, "lo");
  EXPECT_EQ(range->table, network::kLocalTable);
  EXPECT_EQ(route_to(*internal, "0.0.0.0/0")->table, network::kMainTable);
}

TEST(SpecWorldDiy, ServersAndTheirNames) {
  const Topology world = diy();
  const network::Node* resolver = world.find("lan-resolver");
  ASSERT_EQ(resolver->services.size(), 1U);
  EXPECT_EQ(resolver->services[0].kind, network::Service::Kind::dns);
  EXPECT_EQ(resolver->services[0].names.at("www.example.test").at(0), ip("203.0.113.80"));
  const network::Node* internet = world.find("internet");
  ASSERT_EQ(internet->services.size(), 2U);
  EXPECT_EQ(internet->services[1].kind, network::Service::Kind::http);
  EXPECT_EQ(internet->services[1].port, 80);
  EXPECT_EQ(world.find("gateway")->sysctls.at("net.ipv6.conf.all.forwarding"), "1");
}

class SpecWorld : public testing_support::FolderTest {
 protected:
  /// `nodes` begin at line 3, indented by two spaces, after a host that ends at line 4.
  std::string refused(const std::string& nodes) {
    const std::string head =
        "version: 1\nnodes:\n  host:\n    interfaces: {ens4: {segment: lan, addresses: 192.168.16.10/24}}\n";
    const std::string path = write("w.yaml", head + nodes);
    return error_of([&] { load_world(path); });
  }
  std::string refused_file(const std::string& text) {
    const std::string path = write("w.yaml", text);
    return error_of([&] { load_world(path); });
  }
};

TEST_F(SpecWorld, AGoodOneLoads) {
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: lan}}}\n"), "no error");
}

TEST_F(SpecWorld, UnknownKeys) {
  EXPECT_EQ(
      refused("  peer:\n    rotes: []\n"),
      "w.yaml:6:5: unknown key 'rotes' in node peer; did you mean 'routes'? (allowed: interfaces, forward, "
      "routes, local, services, resolvers, plant, sysctls)");
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segmnt: lan}}}\n"),
            "w.yaml:5:30: unknown key 'segmnt' in interface eth0 of peer; did you mean 'segment'? (allowed: "
            "segment, "
            "addresses, gateway, mac, mtu)");
  EXPECT_EQ(refused("  peer: {services: {htp: 80}}\n"),
            "w.yaml:5:21: unknown key 'htp' in services; did you mean 'http'? (allowed: echo, http, dns)");
}

TEST_F(SpecWorld, WrongTypes) {
  EXPECT_EQ(refused("  peer: {forward: maybe}\n"),
            "w.yaml:5:19: 'forward' must be true or false, not 'maybe'");
  EXPECT_EQ(refused("  peer: [1]\n"), "w.yaml:5:9: node peer must be a mapping of keys, not a list");
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: lan, mtu: big}}}\n"),
            "w.yaml:5:49: 'mtu' must be a whole number from 68 to 65535, not 'big'");
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: lan, mac: zz}}}\n"),
            "w.yaml:5:49: 'mac' must be a hardware address such as 02:00:00:00:00:01, not 'zz'");
  EXPECT_EQ(refused("  peer: {services: {dns: 0}}\n"),
            "w.yaml:5:26: 'dns' must be a whole number from 1 to 65535, not '0'");
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {}}}\n"),
            "w.yaml:5:29: interface eth0 of peer needs the key 'segment'");
}

TEST_F(SpecWorld, NamesThatCannotBe) {
  EXPECT_EQ(refused("  ../peer: {}\n"), "w.yaml:5:3: 'node' must be a name, not a path: '../peer'");
  EXPECT_EQ(refused("  10.1.2.3: {}\n"), "w.yaml:5:3: a node cannot be named like an address: '10.1.2.3'");
  EXPECT_EQ(refused("  peer: {interfaces: {sixteen-letters-: {segment: lan}}}\n"),
            "w.yaml:5:23: 'interface' must be at most 15 characters long, and 'sixteen-letters-' has 16");
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: a/b}}}\n"),
            "w.yaml:5:39: 'segment' must be a name, not a path: 'a/b'");
  EXPECT_EQ(refused("  peer: {interfaces: {all: {segment: lan}}}\n"),
            "w.yaml:5:23: the kernel keeps the name 'all' for itself");
}

TEST_F(SpecWorld, DuplicateNames) {
  EXPECT_EQ(refused("  peer: {}\n  peer: {}\n"),
            "w.yaml:6:3: the key 'peer' stands twice; the first is at line 5");
  EXPECT_EQ(
      refused("  lan: {}\n"),
      "w.yaml:4:34: the segment lan has the name of a node (line 5), and becomes a node itself: name one of "
      "them differently");
}

TEST_F(SpecWorld, DuplicateAddresses) {
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: lan, addresses: [192.168.16.10/24]}}}\n"),
            "w.yaml:5:56: 192.168.16.10 is already the address of ens4 of host (line 4)");
}

TEST_F(SpecWorld, OverlappingSubnets) {
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: other, addresses: 192.168.0.1/16}}}\n"),
            "w.yaml:5:57: 192.168.0.0/16 on segment other overlaps 192.168.16.0/24 on segment lan (ens4 of "
            "host (line "
            "4))");
}

TEST_F(SpecWorld, AddressesOutsideTheirSubnet) {
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: lan, addresses: 192.168.16.0/24}}}\n"),
            "w.yaml:5:55: 192.168.16.0 is the network address of its own network 192.168.16.0/24");
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: lan, addresses: 192.168.16.9/24, gateway: "
                    "192.168.18.1}}}\n"),
            "w.yaml:5:81: 'gateway' 192.168.18.1 is outside every network of eth0 of peer (192.168.16.0/24)");
  EXPECT_EQ(
      refused("  peer:\n    interfaces: {eth0: {segment: lan, addresses: 192.168.16.9/24}}\n    routes:\n"
              "      - {to: default, via: 192.168.18.1}\n"),
      "w.yaml:8:28: 'via' 192.168.18.1 is outside every network of peer (192.168.16.0/24)");
  EXPECT_EQ(refused("  peer: {interfaces: {eth0: {segment: lan, addresses: 224.0.0.1/24}}}\n"),
            "w.yaml:5:55: 224.0.0.1 cannot be the address of an interface");
}

TEST_F(SpecWorld, RoutesThatCannotBe) {
  const std::string head =
      "  peer:\n    interfaces: {eth0: {segment: lan, addresses: 192.168.16.9/24}}\n    routes:\n";
  EXPECT_EQ(refused(head + "      - {to: 10.0.0.0/8}\n"), "w.yaml:8:9: a route needs 'via', 'dev' or both");
  EXPECT_EQ(refused(head + "      - {to: 10.0.0.0/8, dev: etho}\n"),
            "w.yaml:8:31: unknown interface 'etho'; did you mean 'eth0'? (interfaces of peer: eth0, lo)");
  EXPECT_EQ(refused(head + "      - {to: 10.0.0.0/8, via: \"2001:db8::1\"}\n"),
            "w.yaml:8:31: 'via' 2001:db8::1 is not of the same family as 10.0.0.0/8");
  EXPECT_EQ(refused(head + "      - {to: 10.0.0.0/8, type: blakhole}\n")
                .find("w.yaml:8:32: unknown 'type' 'blakhole'; did you mean 'blackhole'?"),
            0U);
  EXPECT_EQ(refused(head + "      - {to: 10.0.0.0/8, type: blackhole, via: 192.168.16.1}\n"),
            "w.yaml:8:48: a route of type blackhole takes no 'via'");
  EXPECT_EQ(
      refused(head + "      - {to: 10.0.0.0/8, via: 192.168.16.1}\n      - {to: 10.0.0.0/8, dev: eth0}\n"),
      "w.yaml:9:9: peer has a route to 10.0.0.0/8 already (line 8): give one another metric or table");
  EXPECT_EQ(
      refused("  peer: {interfaces: {eth0: {segment: lan, addresses: 192.168.16.9/24}}, local: "
              "192.168.0.0/16}\n"),
      "w.yaml:5:81: the local range 192.168.0.0/16 overlaps 192.168.16.9/24 of eth0, which could then not be "
      "reached");
}

TEST_F(SpecWorld, AddressesThatNoInterfaceCanHold) {
  for (const char* address : {"0.0.0.1/24", "0.255.1.2", "127.0.0.5/8", "224.0.0.251/24", "255.255.255.255",
                              "\"::1\"", "\"ff02::1/64\"", "\"::ffff:10.1.2.3\""}) {
    const std::string error =
        refused("  peer: {interfaces: {eth0: {segment: lan, addresses: " + std::string(address) + "}}}\n");
    EXPECT_EQ(error.find("w.yaml:5:55: "), 0U) << error;
    EXPECT_NE(error.find(" cannot be the address of an interface"), std::string::npos) << error;
  }
}

TEST_F(SpecWorld, SysctlsThatCannotBe) {
  const std::string advice =
      "'sysctls' takes a node's own, which begin with 'net.', such as net.ipv4.conf.all.rp_filter, not ";
  for (const char* name : {"net.", "net", "net..ipv4", "net.ipv4.", "net/../kernel/panic", "kernel.panic",
                           "net/ipv4/./tcp_ecn", "net.ipv4.tcp ecn", "network.ipv4"}) {
    EXPECT_EQ(refused(std::string("  peer:\n    sysctls: {\"") + name + "\": 1}\n"),
              "w.yaml:6:15: " + advice + "'" + name + "'");
  }
  EXPECT_EQ(refused("  peer:\n    sysctls: {\"net.ipv4.tcp\\tecn\": 1}\n"),
            "w.yaml:6:15: " + advice + "'net.ipv4.tcp ecn'");
  EXPECT_EQ(refused("  peer:\n    sysctls: {net.ipv4.tcp_ecn: \"1\\n2\"}\n"),
            "w.yaml:6:33: 'net.ipv4.tcp_ecn' must be one line of printable ASCII, not '1 2'");
  EXPECT_EQ(refused("  peer:\n    sysctls: {net.ipv4.tcp_ecn: \"\"}\n"),
            "w.yaml:6:33: 'net.ipv4.tcp_ecn' needs a value");
  EXPECT_EQ(refused("  peer:\n    interfaces: {eth0: {segment: lan}}\n    sysctls: {net.ipv4.tcp_ecn: 1, "
                    "net/ipv4/conf/eth0.5/rp_filter: 2, net.ipv4.ip_local_port_range: 1024 2048}\n"),
            "no error");
}

TEST_F(SpecWorld, AHostIsNeeded) {
  EXPECT_EQ(refused_file("version: 1\nnodes:\n  hsot: {}\n"),
            "w.yaml:3:3: a world needs a node named 'host': the host under test");
  EXPECT_EQ(refused_file("version: 2\n"), "w.yaml:1:10: 'version' must be 1, not '2'");
  EXPECT_EQ(refused_file("nodes: {}\n"), "w.yaml:1:1: a world needs the key 'version'");
}

TEST_F(SpecWorld, APlugAloneHasACarrierAllTheSame) {
  const Topology world =
      load_world(write("w.yaml", "version: 1\nnodes:\n  host: {interfaces: {ens4: {segment: lan}}}\n"));
  ASSERT_NE(world.find("lan"), nullptr);
  EXPECT_EQ(world.host()->find_interface("ens4")->peer, (network::Endpoint{"lan", "host"}));
}

TEST_F(SpecWorld, PortNamesAreShortAndUnique) {
  const Topology world =
      load_world(write("w.yaml",
                       "version: 1\nnodes:\n  host: {interfaces: {a: {segment: lan}, b: {segment: lan}}}\n"
                       "  a-very-long-node-name: {interfaces: {x: {segment: lan}}}\n"
                       "  a-very-long-node-too: {interfaces: {x: {segment: lan}}}\n"
                       "  bridge: {interfaces: {x: {segment: lan}}}\n"));
  std::vector<std::string> names;
  for (const network::Interface& port : world.find("lan")->interfaces) names.push_back(port.name);
  EXPECT_EQ(names, (std::vector<std::string>{"bridge", "host", "host-2", "a-very-long-nod", "a-very-long-n-2",
                                             "bridge-2"}));
}

}  // namespace
}  // namespace plumbline::spec
