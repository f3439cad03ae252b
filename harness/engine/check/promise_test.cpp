#include "harness/engine/check/promise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace plumbline::engine {
namespace {

network::Topology two_nodes() {
  network::Topology topology;
  topology.nodes.resize(2);
  topology.nodes[0].name = "host";
  topology.nodes[1].name = "container-one";
  return topology;
}

std::string error_of(const std::string& yaml, const std::function<void(const spec::Value&)>& read) {
  try {
    read(spec::parse_yaml(yaml, "a.yaml"));
  } catch (const spec::SpecError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Promise, ReadsOneOrMany) {
  const auto value =
      spec::parse_yaml("from: [host, container-one]\nto: 10.1.2.3\nwith: [ping, tcp/80, udp/53]\n", "a.yaml");
  EXPECT_EQ(read_nodes(value, "from", two_nodes()).size(), 2U);
  EXPECT_EQ(read_targets(value, "to", two_nodes()).front().text, "10.1.2.3");
  const auto services = read_services(value);
  ASSERT_EQ(services.size(), 3U);
  EXPECT_EQ(services[1].to_string(), "tcp/80");
  EXPECT_EQ(services[2].to_string(), "udp/53");
}

TEST(Promise, PingIsTheDefault) {
  const auto services = read_services(spec::parse_yaml("from: host\n", "a.yaml"));
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services.front().to_string(), "ping");
}

TEST(Promise, NamesTheNearestNode) {
  EXPECT_EQ(error_of("from: contaner-one\n", [](const auto& v) { read_nodes(v, "from", two_nodes()); }),
            "a.yaml:1:7: unknown node 'contaner-one'; did you mean 'container-one'?");
  EXPECT_EQ(
      error_of("to: [host,\n     somewhere]\n", [](const auto& v) { read_targets(v, "to", two_nodes()); }),
      "a.yaml:2:6: unknown node 'somewhere'; expected host, container-one, or an IP address");
}

TEST(Promise, ReadsAnInterfaceOfANode) {
  const auto read = [](const auto& v) { read_endpoint(v.require("at", "it"), "at", two_nodes()); };
  const auto value = spec::parse_yaml("at: 'container-one:eth0'\n", "a.yaml");
  const network::Endpoint end = read_endpoint(*value.find("at"), "at", two_nodes());
  EXPECT_EQ(end.node, "container-one");
  EXPECT_EQ(end.interface, "eth0");
  for (const char* word : {"host", "':eth0'", "'host:'"}) {
    EXPECT_THAT(error_of(std::string("at: ") + word + "\n", read),
                ::testing::HasSubstr("is not NODE:INTERFACE, as in host:veth1"));
  }
  EXPECT_EQ(error_of("at: 'hots:eth0'\n", read), "a.yaml:1:5: unknown node 'hots'; did you mean 'host'?");
  EXPECT_THAT(error_of("at: 'host:eth0:1'\n", read), ::testing::HasSubstr("must be made of letters"));
  EXPECT_THAT(error_of("at: 'host:sixteen-letters-'\n", read), ::testing::HasSubstr("at most 15"));
}

TEST(Promise, TheHostIsTheGuardWhereThereIsOne) {
  const auto read = [](const auto& v) { read_guard(v, "in", two_nodes()); };
  EXPECT_EQ(error_of("to: host\n", read), "a.yaml:1:1: 'in' is needed where the world has no host");
  EXPECT_EQ(error_of("in: host\n", read), "no error");
  network::Topology with_host = two_nodes();
  with_host.nodes[0].role = network::Role::host;
  EXPECT_EQ(read_guard(spec::parse_yaml("to: host\n", "a.yaml"), "in", with_host), "host");
}

TEST(Promise, RefusesAddressesThatNoPacketCanBePromisedTo) {
  const auto read = [](const auto& v) { read_targets(v, "to", two_nodes()); };
  EXPECT_EQ(error_of("to: 0.0.0.0\n", read),
            "a.yaml:1:5: 0.0.0.0 is the unspecified address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: [host,\n     '::']\n", read),
            "a.yaml:2:6: :: is the unspecified address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: 224.0.0.251\n", read),
            "a.yaml:1:5: 224.0.0.251 is a multicast address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: 'ff02::1'\n", read),
            "a.yaml:1:5: ff02::1 is a multicast address, not one target's: name a node or its address");
  EXPECT_EQ(
      error_of("to: 255.255.255.255\n", read),
      "a.yaml:1:5: 255.255.255.255 is the broadcast address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: '::ffff:10.1.2.3'\n", read),
            "a.yaml:1:5: ::ffff:10.1.2.3 is an IPv4 address in IPv6's form: write 10.1.2.3");
  for (const char* good : {"127.0.0.1", "10.0.0.255", "'::1'", "'2001:db8::1'", "'::ffff:0:1:2'"}) {
    EXPECT_EQ(error_of(std::string("to: ") + good + "\n", read), "no error") << good;
  }
}

TEST(Promise, RefusesServicesThatAreNone) {
  for (const char* word : {"tcp", "tcp/", "tcp/0", "tcp/65536", "tcp/80x", "udp/-1", "sctp/80", "icmp"}) {
    EXPECT_THAT(error_of(std::string("with: ") + word + "\n", [](const auto& v) { read_services(v); }),
                ::testing::StartsWith("a.yaml:1:7: "))
        << word;
  }
}

TEST(Promise, RefusesAnEmptyListAndAMissingKey) {
  EXPECT_THAT(error_of("from: []\n", [](const auto& v) { read_nodes(v, "from", two_nodes()); }),
              ::testing::HasSubstr("is empty"));
  EXPECT_THAT(error_of("to: host\n", [](const auto& v) { read_nodes(v, "from", two_nodes()); }),
              ::testing::HasSubstr("from"));
}

network::Node addressed(const std::string& name, const std::vector<std::string>& addresses) {
  network::Node node;
  node.name = name;
  network::Interface& interface = node.interfaces.emplace_back();
  interface.name = "eth0";
  for (const std::string& address : addresses) {
    interface.addresses.push_back(InterfaceAddress::parse(address).value());
  }
  return node;
}

network::Topology both_families() {
  network::Topology topology;
  topology.nodes = {addressed("both", {"10.0.0.1/24", "2001:db8::1/64"}),
                    addressed("other", {"10.0.0.2/24", "2001:db8::2/64"}), addressed("old", {"10.0.0.3/24"}),
                    addressed("new", {"2001:db8::4/64"}), addressed("bare", {"fe80::1/64", "127.0.0.1/8"})};
  return topology;
}

/// "both>other ping", "both>other ping ipv6".
std::vector<std::string> pairings(const std::string& yaml) {
  std::vector<std::string> texts;
  for (const Pairing& each : read_pairings(spec::parse_yaml(yaml, "a.yaml"), both_families())) {
    texts.push_back(each.from.text + ">" + each.to.text + " " + each.with.to_string() + each.suffix());
  }
  return texts;
}

TEST(Families, ACheckRunsForEachThatBothEndsHave) {
  using ::testing::ElementsAre;
  EXPECT_THAT(pairings("from: both\nto: other\n"), ElementsAre("both>other ping", "both>other ping ipv6"));
  EXPECT_THAT(pairings("from: both\nto: [old, new]\n"), ElementsAre("both>old ping", "both>new ping ipv6"));
  EXPECT_THAT(pairings("from: both\nto: other\nfamily: ipv6\nwith: [ping, tcp/80]\n"),
              ElementsAre("both>other ping ipv6", "both>other tcp/80 ipv6"));
  EXPECT_THAT(pairings("from: bare\nto: other\nfamily: [ipv6, ipv4]\n"),
              ElementsAre("bare>other ping ipv6", "bare>other ping"))
      << "a node whose addresses are not known yet may have any";
}

TEST(Families, AnAddressHasItsOwn) {
  using ::testing::ElementsAre;
  EXPECT_THAT(pairings("from: old\nto: [10.9.9.9, \"2001:db8::9\"]\n"),
              ElementsAre("old>10.9.9.9 ping", "old>2001:db8::9 ping"));
}

TEST(Families, WhatCannotBeIsSaidAtItsPlace) {
  const auto refused = [](const std::string& yaml) {
    return error_of(yaml, [](const spec::Value& value) { read_pairings(value, both_families()); });
  };
  EXPECT_EQ(refused("from: old\nto: new\n"), "a.yaml:2:5: old and new have no address family in common");
  EXPECT_EQ(refused("from: both\nto: old\nfamily: ipv6\n"), "a.yaml:3:9: old has no IPv6 address");
  EXPECT_THAT(refused("from: both\nto: bare\n"),
              ::testing::HasSubstr("a.yaml:2:5: bare has no address that is known before it is built"));
  EXPECT_EQ(refused("from: both\nto: 10.9.9.9\nfamily: ipv6\n"),
            "a.yaml:2:5: 10.9.9.9 is of another family than 'family' says");
  EXPECT_THAT(refused("from: both\nto: other\nfamily: ipv5\n"), ::testing::HasSubstr("a.yaml:3:9: "));
}

}  // namespace
}  // namespace plumbline::engine
