#include "harness/network/setup/native.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.hpp"

namespace plumbline::network {
namespace {

namespace nft = kernel::nft;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

InterfaceAddress held(const char* text) {
  return *InterfaceAddress::parse(text);
}
Prefix net(const char* text) {
  return *Prefix::parse(text);
}
IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

Topology world() {
  Topology topology;
  Node host;
  host.name = "host";
  host.role = Role::host;
  host.resolvers = {ip("192.168.16.53")};
  Interface ens4;
  ens4.name = "ens4";
  ens4.addresses = {held("192.168.16.10/24")};
  ens4.gateways = {ip("192.168.16.1")};
  Interface ens5 = ens4;
  ens5.name = "ens5";
  ens5.addresses = {held("192.168.17.10/24")};
  ens5.gateways = {ip("192.168.17.1"), ip("2001:db8:17::1")};
  host.interfaces = {ens4, ens5};
  topology.nodes.push_back(host);
  return topology;
}

NativeSetup setup() {
  NativeSetup native;
  native.bridges.push_back(
      {"bridge0",
       {held("192.168.99.1/24")},
       {{"container-one", {held("192.168.99.11/24")}}, {"container-two", {held("192.168.99.12/24")}}}});
  return native;
}

// A rule in nft's own words, near enough to read.
struct Words {
  std::string operator()(const nft::InputInterface& m) const { return "iifname " + m.name; }
  std::string operator()(const nft::OutputInterface& m) const { return "oifname " + m.name; }
  std::string operator()(const nft::Source& m) const { return "saddr " + m.prefix.to_string(); }
  std::string operator()(const nft::Destination& m) const { return "daddr " + m.prefix.to_string(); }
  std::string operator()(const nft::Protocol& m) const { return fmt::format("l4proto {}", m.number); }
  std::string operator()(const nft::DestinationPort& m) const { return fmt::format("dport {}", m.port); }
  std::string operator()(const nft::SourcePort& m) const { return fmt::format("sport {}", m.port); }
  std::string operator()(const nft::ConntrackState& m) const {
    return fmt::format("ct state{}{}{}{}", m.established ? " established" : "", m.related ? " related" : "",
                       m.new_ ? " new" : "", m.invalid ? " invalid" : "");
  }
  std::string operator()(const nft::TransportBytes& m) const { return fmt::format("@th,{}", m.offset); }
  std::string operator()(const nft::Accept&) const { return "accept"; }
  std::string operator()(const nft::Drop&) const { return "drop"; }
  std::string operator()(const nft::Reject& r) const {
    return r.with == nft::Reject::With::port_unreachable ? "reject" : "reject otherwise";
  }
  std::string operator()(const nft::Masquerade&) const { return "masquerade"; }
  std::string operator()(const nft::Jump& j) const { return "jump " + j.chain; }
  std::string operator()(const nft::Return&) const { return "return"; }
  std::string operator()(const nft::Log& l) const { return "log " + l.prefix; }
  std::string operator()(const nft::Traced&) const { return "trace"; }
};

std::vector<std::string> words(const nft::Chain& chain) {
  std::vector<std::string> lines;
  for (const nft::Rule& rule : chain.rules) {
    std::string line;
    for (const nft::Match& match : rule.matches) line += std::visit(Words{}, match) + " ";
    lines.push_back(line + std::visit(Words{}, rule.verdict));
    EXPECT_LE(rule.comment.size(), 128U);
    EXPECT_FALSE(rule.comment.empty());
  }
  return lines;
}

TEST(NativeSetup, ContainersHangOnTheBridge) {
  const Topology addition = expand(setup(), world());
  ASSERT_EQ(addition.nodes.size(), 3U);
  const Node& host = *addition.host();
  ASSERT_EQ(host.interfaces.size(), 3U);
  EXPECT_EQ(host.interfaces[0].name, "bridge0");
  EXPECT_EQ(host.interfaces[0].kind, LinkKind::bridge);
  EXPECT_THAT(host.interfaces[0].addresses, ElementsAre(held("192.168.99.1/24")));
  EXPECT_EQ(host.interfaces[1].name, "veth1");
  EXPECT_EQ(host.interfaces[1].master, "bridge0");
  EXPECT_EQ(host.interfaces[1].peer, (Endpoint{"container-one", "eth0"}));
  EXPECT_EQ(host.interfaces[2].name, "veth2");
  const Node& two = *addition.find("container-two");
  EXPECT_EQ(two.role, Role::container);
  EXPECT_EQ(two.interfaces.at(0).peer, (Endpoint{"host", "veth2"}));
  EXPECT_THAT(two.interfaces.at(0).addresses, ElementsAre(held("192.168.99.12/24")));
  ASSERT_EQ(two.routes.size(), 1U);
  EXPECT_EQ(two.routes[0].to, net("0.0.0.0/0"));
  EXPECT_EQ(two.routes[0].via, ip("192.168.99.1"));
  EXPECT_THAT(two.resolvers, ElementsAre(ip("192.168.16.53")));
  EXPECT_TRUE(host.sysctls.empty()) << "without forward the host's own settings stay";
  EXPECT_THAT(host.firewall.tables, IsEmpty());
}

TEST(NativeSetup, VethNamesPassOverThoseInUse) {
  Topology taken = world();
  Interface veth1;
  veth1.name = "veth1";
  taken.nodes[0].interfaces.push_back(veth1);
  NativeSetup native = setup();
  native.bridges[0].name = "veth2";
  const Topology addition = expand(native, taken);
  EXPECT_EQ(addition.host()->interfaces.at(1).name, "veth3");
  EXPECT_EQ(addition.host()->interfaces.at(2).name, "veth4");
}

TEST(NativeSetup, TheForwardChainInItsOrder) {
  NativeSetup native = setup();
  NativeSetup::Forward forward;
  forward.allow = {"ens4"};
  forward.deny = {net("10.0.0.0/8"), net("192.168.0.0/16")};
  forward.except = {{net("192.168.16.53/32"), {{false, 53}, {true, 53}}}, {net("10.9.0.0/16"), {}}};
  native.forward = forward;
  const Topology addition = expand(native, world());
  const Node& host = *addition.host();
  EXPECT_EQ(host.sysctls, (std::map<std::string, std::string>{{"net.ipv4.ip_forward", "1"}}));
  ASSERT_EQ(host.firewall.tables.size(), 1U);
  EXPECT_EQ(host.firewall.tables[0].family, nft::Family::inet);
  EXPECT_EQ(host.firewall.tables[0].name, "filter");
  const nft::Chain& chain = host.firewall.tables[0].chains.at(0);
  EXPECT_EQ(chain.base->hook, nft::Hook::forward);
  EXPECT_EQ(chain.base->policy, nft::Policy::drop);
  EXPECT_EQ(chain.base->priority, 0);
  EXPECT_THAT(words(chain),
              ElementsAre("ct state established related accept",                                //
                          "ct state invalid drop",                                              //
                          "iifname bridge0 oifname bridge0 accept",                             //
                          "iifname bridge0 daddr 192.168.16.53/32 l4proto 17 dport 53 accept",  //
                          "iifname bridge0 daddr 192.168.16.53/32 l4proto 6 dport 53 accept",   //
                          "iifname bridge0 daddr 10.9.0.0/16 accept",                           //
                          "iifname bridge0 daddr 10.0.0.0/8 reject",                            //
                          "iifname bridge0 daddr 192.168.0.0/16 reject",                        //
                          "iifname bridge0 oifname ens4 accept"));
  EXPECT_EQ(chain.rules.at(6).comment, "containers stay out of 10.0.0.0/8");
  native.forward->drop = true;
  EXPECT_EQ(words(expand(native, world()).host()->firewall.tables[0].chains[0]).at(6),
            "iifname bridge0 daddr 10.0.0.0/8 drop");
}

TEST(NativeSetup, MasqueradeIsOfTheContainersOnly) {
  NativeSetup native = setup();
  native.bridges[0].addresses.push_back(held("fd00:99::1/64"));
  native.masquerade = {"ens4", "ens5"};
  const Topology addition = expand(native, world());
  ASSERT_EQ(addition.host()->firewall.tables.size(), 1U);
  const nft::Chain& chain = addition.host()->firewall.tables[0].chains.at(0);
  EXPECT_EQ(chain.base->type, nft::ChainType::nat);
  EXPECT_EQ(chain.base->hook, nft::Hook::postrouting);
  EXPECT_EQ(chain.base->priority, 100);
  EXPECT_EQ(chain.base->policy, nft::Policy::accept);
  EXPECT_THAT(words(chain), ElementsAre("saddr 192.168.99.0/24 oifname ens4 masquerade",
                                        "saddr 192.168.99.0/24 oifname ens5 masquerade",
                                        "saddr fd00:99::/64 oifname ens4 masquerade",
                                        "saddr fd00:99::/64 oifname ens5 masquerade"));
}

TEST(NativeSetup, ATableOfItsOwnByTheSecondUplink) {
  NativeSetup native = setup();
  native.routing = NativeSetup::Routing{88, "ens5"};
  const Topology addition = expand(native, world());
  const Node& host = *addition.host();
  ASSERT_EQ(host.routes.size(), 2U);
  EXPECT_EQ(host.routes[0].to, net("0.0.0.0/0"));
  EXPECT_EQ(host.routes[0].via, ip("192.168.17.1"));
  EXPECT_EQ(host.routes[0].dev, "ens5");
  EXPECT_EQ(host.routes[0].table, 88U);
  EXPECT_EQ(host.routes[1].to, net("192.168.99.0/24"));
  EXPECT_EQ(host.routes[1].dev, "bridge0");
  EXPECT_EQ(host.routes[1].table, 88U);
  ASSERT_EQ(host.rules.size(), 4U);
  EXPECT_EQ(host.rules[0].oif, "bridge0");
  EXPECT_EQ(host.rules[1].iif, "bridge0");
  EXPECT_EQ(host.rules[2].to, net("192.168.99.0/24"));
  EXPECT_EQ(host.rules[3].from, net("192.168.99.0/24"));
  for (const RoutingRule& rule : host.rules) {
    EXPECT_EQ(rule.table, 88U);
    EXPECT_LT(rule.priority, 32766U);
    EXPECT_EQ(rule.family, IpFamily::v4);
  }
}

TEST(NativeSetup, IPv6BesideIPv4) {
  NativeSetup native = setup();
  native.bridges[0].addresses.push_back(held("fd00:99::1/64"));
  native.bridges[0].containers[0].addresses.push_back(held("fd00:99::11/64"));
  native.forward = NativeSetup::Forward{};
  native.routing = NativeSetup::Routing{88, "ens5"};
  const Topology addition = expand(native, world());
  EXPECT_EQ(addition.host()->sysctls.at("net.ipv6.conf.all.forwarding"), "1");
  EXPECT_EQ(addition.host()->rules.size(), 8U);
  EXPECT_EQ(addition.host()->routes.at(1).via, ip("2001:db8:17::1"));
  EXPECT_EQ(addition.host()->rules.at(4).family, IpFamily::v6);
  const Node& one = *addition.find("container-one");
  ASSERT_EQ(one.routes.size(), 2U);
  EXPECT_EQ(one.routes[1].to, net("::/0"));
  EXPECT_EQ(one.routes[1].via, ip("fd00:99::1"));
  EXPECT_EQ(addition.find("container-two")->routes.size(), 1U);
}

TEST(NativeSetup, OwnResolversAndRuleset) {
  NativeSetup native = setup();
  native.resolvers = {ip("198.51.100.53")};
  native.nft = "table inet mine {}";
  const Topology addition = expand(native, world());
  EXPECT_THAT(addition.find("container-one")->resolvers, ElementsAre(ip("198.51.100.53")));
  EXPECT_EQ(addition.host()->nft_text, "table inet mine {}");
}

std::string refused(const NativeSetup& native, const Topology& around) {
  try {
    expand(native, around);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

TEST(NativeSetup, WhatCannotBe) {
  NativeSetup native = setup();
  native.masquerade = {"ens9"};
  EXPECT_THAT(refused(native, world()), HasSubstr("host has no interface ens9"));
  native = setup();
  native.bridges[0].name = "ens4";
  EXPECT_THAT(refused(native, world()), HasSubstr("host has an interface ens4 already"));
  native = setup();
  native.bridges[0].containers[1].name = "container-one";
  EXPECT_THAT(refused(native, world()), HasSubstr("there is a node container-one already"));
  native = setup();
  native.bridges[0].containers[0].addresses = {held("192.168.98.11/24")};
  EXPECT_THAT(refused(native, world()), HasSubstr("192.168.98.11 is outside the network of bridge0"));
  native = setup();
  native.routing = NativeSetup::Routing{88, "ens4"};
  native.bridges[0].addresses.push_back(held("fd00:99::1/64"));
  EXPECT_THAT(refused(native, world()), HasSubstr("no IPv6 gateway for ens4"));
  EXPECT_THAT(refused(setup(), Topology{}), HasSubstr("needs a world with a host"));
}

}  // namespace
}  // namespace plumbline::network
