// Promises about a host of two bridges made by hand, in the sandbox's own namespace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/engine/inference/promises.hpp"
#include "harness/engine/inference/spec_text.hpp"
#include "harness/engine/spec/spec.hpp"
#include "harness/network/discovery/host.hpp"
#include "harness/network/discovery/testing/fake_engine.hpp"

namespace plumbline::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

//  lan (nsgw 192.0.2.1) ── up0 192.0.2.10  host  br-a 10.10.1.1 ── a1 .11, a2 .12
//                                                br-b 10.10.2.1 ── b1 .11        solo: alone
constexpr const char* kHost = R"(
set -e
for n in gw a1 a2 b1 solo; do ip netns add $n; ip -n $n link set lo up; done
ip link add up0 type veth peer name eth0 netns gw
ip addr add 192.0.2.10/24 dev up0; ip link set up0 up
ip -n gw addr add 192.0.2.1/24 dev eth0; ip -n gw link set eth0 up
ip route add default via 192.0.2.1
plug() { # bridge container address gateway
  ip link add v-$2 type veth peer name eth0 netns $2
  ip link set v-$2 master $1 up
  ip -n $2 addr add $3/24 dev eth0; ip -n $2 link set eth0 up
  ip -n $2 route add default via $4
}
for b in a:1 b:2; do
  ip link add br-${b%:*} type bridge; ip addr add 10.10.${b#*:}.1/24 dev br-${b%:*}; ip link set br-${b%:*} up
done
plug br-a a1 10.10.1.11 10.10.1.1; plug br-a a2 10.10.1.12 10.10.1.1; plug br-b b1 10.10.2.11 10.10.2.1
sysctl -qw net.ipv4.ip_forward=1
nft -f - <<EOF
table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "up0" masquerade; }; }
table ip filter { chain forward { type filter hook forward priority filter; policy accept;
  iifname "br-a" oifname "br-b" ct state new drop; }; }
EOF
)";
constexpr const char* kNoHost = R"(
for n in gw a1 a2 b1 solo; do ip netns del $n; done
for l in up0 br-a br-b; do ip link del $l; done
nft flush ruleset; sysctl -qw net.ipv4.ip_forward=0
)";

class Inference : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(run(kHost), 0); }
  void TearDown() override { run(kNoHost); }

  static int run(const std::string& text) {
    std::ofstream("/run/inference.sh") << text;
    const int status = std::system("sh /run/inference.sh >/run/inference.log 2>&1");
    if (status != 0) std::system("head -5 /run/inference.log >&2");
    return status;
  }

  static network::HostView look() {
    boost::asio::io_context loop{1};
    network::HostSources sources;
    sources.sockets = {};
    return network::testing::await(loop, network::discover_host(std::move(sources)));
  }

  /// The spec on one line each, so that a comment is found wherever it is broken.
  static std::string told() {
    const network::HostView view = look();
    std::string text = spec_text(view, infer(view, {}));
    for (std::size_t at = 0; (at = text.find("\n  # ", at)) != std::string::npos;) {
      const bool starts = text.compare(at + 5, 13, "not promised:") == 0 || text[at - 1] == '\n';
      const std::size_t before = text.rfind('\n', at - 1);
      const bool comment = before != std::string::npos && text.compare(before, 5, "\n  # ") == 0;
      if (comment && !starts)
        text.replace(at, 5, " ");
      else
        at += 5;
    }
    return text;
  }

  static std::vector<std::string> checks(const InferenceOptions& options = {}) {
    const network::HostView view = look();
    std::vector<std::string> all;
    for (const Promise& promise : infer(view, options)) all.push_back(promise.check);
    return all;
  }
};

TEST_F(Inference, WhatIsOnOneBridgeReachesEachOther) {
  const auto all = checks();
  EXPECT_THAT(all, Contains("reach: {from: host, to: [a1, a2]}"));
  EXPECT_THAT(all, Contains("reach: {from: [a1, a2], to: host}"));
  EXPECT_THAT(all, Contains("reach: {from: a1, to: a2}"));
  EXPECT_THAT(all, Contains("reach: {from: host, to: b1}"));
  EXPECT_THAT(all, Contains("isolated: {from: solo, to: host}"));
  EXPECT_THAT(all, Contains("link: {in: host, dev: br-a, kind: bridge, addresses: \"10.10.1.1/24\"}"));
}

TEST_F(Inference, WhatIsCabledWithoutAnAddressIsNotPromisedToBeIsolated) {
  ASSERT_EQ(run("ip link add bare0 type veth peer name eth0 netns solo && ip link set bare0 up && ip -n solo "
                "link set eth0 up"),
            0);
  const network::HostView view = look();
  const std::vector<Promise> promises = infer(view, {});
  EXPECT_EQ(run("ip link del bare0"), 0);
  const std::string text = spec_text(view, promises);
  EXPECT_THAT(text, Not(HasSubstr("isolated: {from: solo")));
  EXPECT_THAT(text, HasSubstr("# not promised: solo: eth0 is veth to host:bare0, without an address"));
}

TEST_F(Inference, BetweenBridgesTheRulesDecideEachWay) {
  const auto all = checks();
  EXPECT_THAT(all, Contains("deny: {from: a1, to: b1}"));
  EXPECT_THAT(all, Contains("reach: {from: b1, to: a1}"));
}

TEST_F(Inference, EgressIsPromisedToTheGatewayOrToWhomeverIsNamed) {
  EXPECT_THAT(checks(), Contains("egress: {from: [a1, a2], to: 192.0.2.1, via: up0, as: 192.0.2.10}"));
  InferenceOptions options;
  options.internet = IpAddress::parse("203.0.113.80");
  options.internet_port = 443;
  const auto named = checks(options);
  EXPECT_THAT(named,
              Contains("egress: {from: b1, to: 203.0.113.80, via: up0, as: 192.0.2.10, with: tcp/443}"));
  EXPECT_THAT(named, Not(Contains(HasSubstr("to: 192.0.2.1,"))));
  options.no_egress = true;
  EXPECT_THAT(checks(options), Not(Contains(HasSubstr("egress"))));
}

TEST_F(Inference, NoEgressIsPromisedWithoutMasqueradeOrForwarding) {
  ASSERT_EQ(run("nft delete table ip nat"), 0);
  EXPECT_THAT(checks(), Not(Contains(HasSubstr("egress"))));
  ASSERT_EQ(run("sysctl -qw net.ipv4.ip_forward=0"), 0);
  const auto off = checks();
  EXPECT_THAT(off, Not(Contains(HasSubstr("egress"))));
  EXPECT_THAT(off, Contains("deny: {from: b1, to: a1}"));
}

TEST_F(Inference, ARuleThatDropsIsADenial) {
  ASSERT_EQ(run("nft insert rule ip filter forward iifname br-b oifname up0 drop"), 0);
  EXPECT_THAT(checks(), Contains("deny: {from: b1, to: 192.0.2.1}"));
}

TEST_F(Inference, ClosedInputIsNoPromise) {
  ASSERT_EQ(run("nft 'add chain ip filter input { type filter hook input priority filter; policy drop; }'"),
            0);
  const network::HostView view = look();
  const std::string text = spec_text(view, infer(view, {}));
  EXPECT_THAT(text,
              HasSubstr("# not promised: a1 does not reach the host: policy drop of host's ip filter input"));
  EXPECT_THAT(text,
              HasSubstr("# not promised: the host does not reach a1, a2: the answer meets policy drop"));
  EXPECT_THAT(text, Not(HasSubstr("reach: {from: host")));
  EXPECT_THAT(text, Not(HasSubstr("reach: {from: [a1, a2], to: host}")));
}

/// As Podman would tell it: a1 and a2 are on a network that knows their names, at br-a's address.
network::HostView with_names(network::HostView view) {
  view.networks.push_back({.owner = "podman",
                           .name = "blue",
                           .driver = "bridge",
                           .subnets = {*Prefix::parse("10.10.1.0/24")},
                           .names = true});
  for (network::FoundNode& node : view.nodes) {
    if (node.name != "a1" && node.name != "a2") continue;
    node.hostnames = {node.name};
    node.memberships = {
        {"podman", "blue", {*IpAddress::parse(node.name == "a1" ? "10.10.1.11" : "10.10.1.12")}}};
  }
  for (network::Node& node : view.topology.nodes) {
    node.resolvers = {*IpAddress::parse("192.0.2.53")};
    if (node.name.starts_with("a"))
      node.resolvers.insert(node.resolvers.begin(), *IpAddress::parse("10.10.1.1"));
  }
  return view;
}

TEST_F(Inference, NamesAreAskedOfAContainersOwnFirstResolverAsThatHearsThem) {
  network::HostView view = with_names(look());
  InferenceOptions options;
  options.names = {"www.example.test"};
  const std::string text = spec_text(view, infer(view, options));
  EXPECT_THAT(text,
              HasSubstr("- resolve: {from: a1, name: a2, expect: 10.10.1.12, resolvers: first, with: udp}"));
  EXPECT_THAT(text, HasSubstr("- resolve: {from: [b1, gw], name: www.example.test}"));
  EXPECT_THAT(text, HasSubstr("- resolve: {from: [a1, a2], name: www.example.test, with: udp}"));
  for (network::Node& node : view.topology.nodes) {
    if (node.name == "a1") std::ranges::reverse(node.resolvers);
  }
  const std::string other = spec_text(view, infer(view, options));
  EXPECT_THAT(other, Not(HasSubstr("- resolve: {from: a1, name: a2")));
  EXPECT_THAT(other,
              HasSubstr("not promised: a1 need not know the containers of podman network blue by name"));
  EXPECT_THAT(other, HasSubstr("- resolve: {from: a2, name: a1"));
}

TEST_F(Inference, OfAPublishedPortItIsToldWhatRulesDoFromOutside) {
  const auto text = [] {
    network::HostView view = look();
    for (network::FoundNode& node : view.nodes) {
      if (node.name == "a1")
        node.ports = {{true, {}, 8080, 80}, {true, IpAddress::parse("127.0.0.1"), 8081, 81}};
    }
    std::string all;  // comments are wrapped in the spec
    for (const Promise& promise : infer(view, {})) all += promise.comment + "\n" + promise.check + "\n";
    return all;
  };
  const std::string bare = text();
  EXPECT_THAT(bare,
              HasSubstr("a1 publishes *:8080->80/tcp; as the host itself sees it; from outside, by up0: no "
                        "rule leads it on"));
  EXPECT_THAT(bare, HasSubstr("*:8080->80/tcp"));
  EXPECT_THAT(bare,
              HasSubstr("127.0.0.1:8081->81/tcp; as the host itself sees it; nobody else is led there"));
  ASSERT_EQ(
      run("nft 'add chain ip nat own; add rule ip nat own tcp dport 8080 dnat to 10.10.1.11:80; add chain ip "
          "nat pre { type nat hook prerouting priority dstnat; }; add rule ip nat pre fib daddr type local "
          "jump own'"),
      0);
  EXPECT_THAT(text(), HasSubstr("by up0: rule of host's ip nat own (handle"));
  EXPECT_THAT(text(), HasSubstr("leads it on, and no rule stops it\npublished: {from: host, to: 192.0.2.10"));
  ASSERT_EQ(run("nft 'insert rule ip filter forward iifname up0 ct state new drop'"), 0);
  EXPECT_THAT(text(), HasSubstr("by up0: rule of host's ip filter forward (handle"));
  EXPECT_THAT(text(), HasSubstr("ct state new drop stops it\npublished:"));
}

/// b1 on br-a too: a node of two networks.
constexpr const char* kDual = R"(
ip link add v-b1a type veth peer name eth1 netns b1 && ip link set v-b1a master br-a up &&
ip -n b1 addr add 10.10.1.50/24 dev eth1 && ip -n b1 link set eth1 up
)";

TEST_F(Inference, ANodeOfTwoNetworksIsAskedAtTheAddressThatIsMeant) {
  ASSERT_EQ(run(kDual), 0);
  const auto all = checks();
  EXPECT_THAT(all, Contains("reach: {from: host, to: [a1, a2, 10.10.1.50]}"));
  EXPECT_THAT(all, Contains("reach: {from: host, to: 10.10.2.11}"));
  EXPECT_THAT(all, Contains("reach: {from: b1, to: 10.10.1.1}"));
  EXPECT_THAT(all, Contains("reach: {from: b1, to: 10.10.2.1}"));
  EXPECT_THAT(all, Contains("reach: {from: a1, to: [a2, 10.10.1.50]}"));
  EXPECT_THAT(all, Not(Contains(HasSubstr("to: b1}"))));
}

TEST_F(Inference, WhatRulesLeaveOpenIsNoPromise) {
  ASSERT_EQ(
      run("nft flush chain ip filter forward && nft add rule ip filter forward limit rate 1/hour drop && "
          "nft 'add chain ip filter input { type filter hook input priority filter; policy drop; }' && "
          "nft add rule ip filter input ct state established accept && "
          "nft add rule ip filter input limit rate 1/hour accept"),
      0);
  const std::string text = told();
  EXPECT_THAT(text, HasSubstr("reach: {from: host, to: [a1, a2]}"));
  EXPECT_THAT(text, HasSubstr("# not promised: whether a1 reaches the host could not be told from rule of"));
  EXPECT_THAT(text,
              HasSubstr("# not promised: whether b1 is answered from there could not be told from rule"));
  EXPECT_THAT(text,
              HasSubstr("# not promised: br-b to br-a (a1 stands for all of br-a): it could not be told"));
  EXPECT_THAT(text, Not(HasSubstr("egress: {")));
  EXPECT_THAT(text, Not(HasSubstr(", to: host}\n  - reach")));
}

/// A second uplink up1, 198.51.100.10, by table 88.
constexpr const char* kSecondUplink = R"(
ip link add up1 type veth peer name eth1 netns gw && ip addr add 198.51.100.10/24 dev up1 &&
ip link set up1 up && ip -n gw addr add 198.51.100.1/24 dev eth1 && ip -n gw link set eth1 up &&
ip route add default via 198.51.100.1 table 88 && nft add rule ip nat post oifname up1 masquerade &&
ip rule add priority 100 )";

TEST_F(Inference, WhatIsForwardedGoesByTheRulesForIt) {
  ASSERT_EQ(run(kSecondUplink + std::string("from 10.10.2.0/24 lookup 88")), 0);
  InferenceOptions options;
  options.internet = IpAddress::parse("203.0.113.80");
  const auto all = checks(options);
  EXPECT_EQ(run("ip rule del priority 100; ip link del up1"), 0);
  EXPECT_THAT(all, Contains("egress: {from: [a1, a2], to: 203.0.113.80, via: up0, as: 192.0.2.10}"));
  EXPECT_THAT(all, Not(Contains(HasSubstr("egress: {from: b1, to: 203.0.113.80, via: up0"))));
  EXPECT_THAT(all, Not(Contains("reach: {from: b1, to: a1}")));  // the table knows nothing of br-a
}

TEST_F(Inference, WhereAMarkDecidesNoUplinkIsPromised) {
  ASSERT_EQ(
      run(kSecondUplink + std::string("fwmark 7 lookup 88 && nft add table ip m && "
                                      "nft 'add chain ip m pre { type filter hook prerouting priority "
                                      "mangle; }' && nft add rule ip m pre iifname br-b meta mark set 7")),
      0);
  const std::string text = told();
  EXPECT_EQ(run("ip rule del priority 100; ip link del up1"), 0);
  EXPECT_THAT(text, HasSubstr("egress: {from: [a1, a2], to: 192.0.2.1, via: up0, as: 192.0.2.10}"));
  EXPECT_THAT(text,
              HasSubstr("# not promised: by which uplink b1 leaves could not be told: it meets the mark"));
  EXPECT_THAT(text, Not(HasSubstr("egress: {from: b1")));
}

TEST_F(Inference, EachFamilyIsPromisedForItself) {
  ASSERT_EQ(run("for n in 'a1 1::11' 'a2 1::12' 'b1 2::11'; do set -- $n; ip -n $1 addr add fd00:$2/64 dev "
                "eth0 nodad; ip -n $1 -6 route add default via fd00:${2%%:*}::1; done; "
                "ip addr add fd00:1::1/64 dev br-a nodad && ip addr add fd00:2::1/64 dev br-b nodad && "
                "nft add table ip6 f && nft 'add chain ip6 f in { type filter hook input priority 0; }' && "
                "nft add rule ip6 f in icmpv6 type echo-request drop"),
            0);
  const std::string text = told();
  EXPECT_THAT(text, HasSubstr("reach: {from: host, to: [a1, a2]}"));
  EXPECT_THAT(text, HasSubstr("reach: {from: [a1, a2], to: host, family: ipv4}"));
  EXPECT_THAT(text,
              HasSubstr("# not promised: a1 does not reach the host over IPv6: rule of host's ip6 f in"));
  EXPECT_THAT(text, HasSubstr("reach: {from: b1, to: a1, family: ipv4}"));
  EXPECT_THAT(text, HasSubstr("deny: {from: b1, to: a1, family: ipv6}"));
  // One interface's own setting makes no router of it.
  ASSERT_EQ(run("sysctl -qw net.ipv6.conf.br-b.forwarding=1"), 0);
  EXPECT_THAT(told(), HasSubstr("deny: {from: b1, to: a1, family: ipv6}"));
}

TEST_F(Inference, MasqueradeTakesTheInterfacesAddressAndNotTheRoutes) {
  ASSERT_EQ(run("ip addr add 192.0.2.11/24 dev up0 && "
                "ip route replace default via 192.0.2.1 src 192.0.2.11"),
            0);
  EXPECT_THAT(checks(), Contains("egress: {from: [a1, a2], to: 192.0.2.1, via: up0, as: 192.0.2.10}"));
}

TEST_F(Inference, ADeafNodeIsNotPromisedToAnswer) {
  ASSERT_EQ(
      run("ip netns exec a2 sysctl -qw net.ipv4.icmp_echo_ignore_all=1 && "
          "ip netns exec b1 nft 'add table ip f; add chain ip f in { type filter hook input priority 0; "
          "policy drop; }'"),
      0);
  const std::string text = told();
  EXPECT_THAT(text, HasSubstr("reach: {from: host, to: a1}"));
  EXPECT_THAT(text, HasSubstr("# not promised: a1 does not reach a2: net/ipv4/icmp_echo_ignore_all of a2"));
  EXPECT_THAT(text, HasSubstr("# not promised: the host does not reach b1: policy drop of b1's ip f in"));
  // Nor is a denial, for which somebody must reach it.
  EXPECT_THAT(text, Not(HasSubstr("deny: {from: a1, to: b1}")));
}

TEST_F(Inference, PortsOfABridgeThatAreKeptApartAreNotPromisedToMeet) {
  ASSERT_EQ(run("bridge link set dev v-a1 isolated on && bridge link set dev v-a2 isolated on"), 0);
  std::string text = told();
  EXPECT_THAT(text, HasSubstr("# not promised: a1 does not reach a2: ports v-a1 and v-a2 are isolated"));
  EXPECT_THAT(text, Not(HasSubstr("reach: {from: a1, to: a2}")));
  ASSERT_EQ(
      run("bridge link set dev v-a1 isolated off && nft add table bridge f && nft 'add chain bridge f fw "
          "{ type filter hook forward priority 0; }' && "
          "nft add rule bridge f fw iifname v-a1 oifname v-a2 drop"),
      0);
  text = told();
  EXPECT_THAT(text, HasSubstr("# not promised: a1 does not reach a2: rule of host's bridge f fw"));
  EXPECT_THAT(text, Not(HasSubstr("reach: {from: a1, to: a2}")));
  EXPECT_THAT(text, Not(HasSubstr("reach: {from: a2, to: a1}")));  // its answer meets the same rule
}

TEST_F(Inference, WhoStandsForANetworkIsSaid) {
  EXPECT_THAT(told(),
              HasSubstr("br-a to br-b (a1 stands for all of br-a): rule of host's ip filter forward"));
  ASSERT_EQ(run(kDual), 0);
  // b1 is at home in both: nobody of br-b's is left to stand for it.
  EXPECT_THAT(told(), Not(HasSubstr("stands for all of br-b")));
}

TEST_F(Inference, APortIsJudgedAsAPort) {
  ASSERT_EQ(run("nft insert rule ip filter forward iifname br-b tcp dport 443 drop"), 0);
  InferenceOptions options;
  options.internet = IpAddress::parse("203.0.113.80");
  options.internet_port = 443;
  EXPECT_THAT(checks(options), Contains("deny: {from: b1, to: 203.0.113.80, with: tcp/443}"));
}

TEST_F(Inference, TheSpecIsOneThatIsRead) {
  ASSERT_EQ(run("ip netns add 'x y:z' && ip -n 'x y:z' link add name v0 type veth peer name v1"), 0);
  const network::HostView view = look();
  EXPECT_EQ(run("ip netns del 'x y:z'"), 0);
  InferenceOptions options;
  options.names = {"www.example.test"};
  const std::vector<Promise> promises = infer(view, options);
  spec::LoadOptions load;
  load.check_kinds = {"reach", "deny", "egress", "resolve", "route", "link", "isolated", "published"};
  const std::string text = spec_text(view, promises);
  const auto specs = spec::read_specs(spec::parse_yaml(text, "host.yaml"), "host.yaml", load);
  ASSERT_EQ(specs.size(), 1U);
  ASSERT_TRUE(specs[0].nodes);
  EXPECT_EQ(specs[0].nodes->size(), view.nodes.size());
  EXPECT_EQ(specs[0].checks.size(), static_cast<std::size_t>(std::ranges::count_if(
                                        promises, [](const Promise& each) { return !each.check.empty(); })));
}

TEST_F(Inference, TheModelHasItsRulesAndRoutes) {
  const network::HostView view = look();
  const boost::json::value model = boost::json::parse(model_json(view, infer(view, {})));
  const boost::json::value& host = model.at("nodes").at(0);
  EXPECT_EQ(host.at("name").as_string(), "host");
  EXPECT_THAT(std::string(host.at("firewall").at("nft").as_string()), HasSubstr("masquerade"));
  EXPECT_FALSE(host.at("routes").as_array().empty());
  EXPECT_EQ(model.at("nodes").as_array().size(), 6U);
}

}  // namespace
}  // namespace plumbline::engine
