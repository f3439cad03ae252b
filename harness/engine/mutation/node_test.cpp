// Of what is no nft: routes, rules, sysctls, iptables-legacy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/mutation/mutant.hpp"
#include "harness/engine/mutation/survey.hpp"

namespace plumbline::engine::mutation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kRules4 = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n";

NodeState node() {
  NodeState state;
  state.node = "host";
  return state;
}

std::vector<std::string> ids(const NodeState& state) {
  std::vector<std::string> ids;
  for (const Mutant& mutant : mutants_of(state)) ids.push_back(mutant.id);
  return ids;
}

TEST(RouteMutants, DeletedWidenedNarrowed) {
  NodeState state = node();
  state.routes4 =
      "default via 192.168.16.1 dev ens4 table 88 \n"
      "local 192.168.16.10 dev ens4 table local proto kernel scope host src 192.168.16.10 \n"
      "broadcast 192.168.16.255 dev ens4 table local proto kernel scope link src 192.168.16.10 \n";
  const auto all = mutants_of(state);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, "delete host ip route: default via 192.168.16.1 dev ens4 table 88");
  EXPECT_THAT(all[0].unless_changed, ElementsAre("ip -4 -o route show table all | grep -Fxq -- 'default via "
                                                 "192.168.16.1 dev ens4 table 88 '"));
  EXPECT_THAT(all[0].commands, ElementsAre("ip -4 route del default via 192.168.16.1 dev ens4 table 88"));
  EXPECT_EQ(all[1].id, "narrow 0.0.0.0/0 host ip route: default via 192.168.16.1 dev ens4 table 88");
  EXPECT_THAT(all[1].commands, ElementsAre("ip -4 route add 0.0.0.0/1 via 192.168.16.1 dev ens4 table 88",
                                           "ip -4 route del default via 192.168.16.1 dev ens4 table 88"));
}

TEST(RouteMutants, TypesHostsAndSeveralHops) {
  NodeState state = node();
  state.routes4 = "blackhole 10.3.0.0/16 table 88 \n192.168.99.11 dev veth1 scope link linkdown \n"
                  "10.0.0.0/8 \\\tnexthop via 192.168.99.7 dev br0 weight 1 \\\tnexthop via 192.168.99.8 dev br0 weight 1 \n";
  EXPECT_THAT(ids(state),
              ElementsAre("delete host ip route: blackhole 10.3.0.0/16 table 88",
                          "widen 10.3.0.0/16 host ip route: blackhole 10.3.0.0/16 table 88",
                          "narrow 10.3.0.0/16 host ip route: blackhole 10.3.0.0/16 table 88",
                          "delete host ip route: 192.168.99.11 dev veth1 scope link",
                          "widen 192.168.99.11 host ip route: 192.168.99.11 dev veth1 scope link",
                          HasSubstr("nexthop via 192.168.99.7 dev br0 weight 1 nexthop via 192.168.99.8"),
                          HasSubstr("widen 10.0.0.0/8"), HasSubstr("narrow 10.0.0.0/8")));
}

TEST(RouteMutants, WhatTheKernelKeepsOnEachInterfaceIsLeftAlone) {
  NodeState state = node();
  state.routes6 = "fe80::/64 dev eth0 proto kernel metric 256 pref medium\n"
                  "multicast ff00::/8 dev eth0 table local proto kernel metric 256 pref medium\n"
                  "2001:db8::/64 dev eth0 proto ra metric 100 expires 20sec pref medium\n";
  state.rules6 = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n";
  EXPECT_THAT(ids(state), ElementsAre());
}

TEST(RouteMutants, OneThatIsWiderOnlyWhereOthersAreMoreSpecificIsNoMutant) {
  NodeState state = node();
  state.routes4 = "192.168.16.0/24 dev ens4 \n192.168.17.0/24 dev ens5 \n192.168.17.0/24 dev ens5 table 88 \n";
  EXPECT_THAT(ids(state), ElementsAre("delete host ip route: 192.168.16.0/24 dev ens4",
                                      "narrow 192.168.16.0/24 host ip route: 192.168.16.0/24 dev ens4",
                                      "delete host ip route: 192.168.17.0/24 dev ens5",
                                      "narrow 192.168.17.0/24 host ip route: 192.168.17.0/24 dev ens5",
                                      "delete host ip route: 192.168.17.0/24 dev ens5 table 88",
                                      "widen 192.168.17.0/24 host ip route: 192.168.17.0/24 dev ens5 table 88",
                                      "narrow 192.168.17.0/24 host ip route: 192.168.17.0/24 dev ens5 table 88"));
}

TEST(RuleMutants, DeletedSwappedPrefixesChanged) {
  NodeState state = node();
  state.routes4 = "blackhole default table 88 \nlocal 10.0.0.1 dev lo table local \nunreachable default \n";
  state.rules4 = "0:\tfrom all lookup local\n100:\tfrom 192.168.99.0/24 iif br0 lookup 88\n32766:\tfrom all lookup main\n"
                 "32767:\tfrom all lookup default\n";
  std::vector<Mutant> rules;
  for (Mutant& mutant : mutants_of(state)) {
    if (mutant.line.starts_with("ip rule")) rules.push_back(std::move(mutant));
  }
  std::vector<std::string> texts;
  for (const Mutant& mutant : rules) texts.push_back(mutant.id);
  EXPECT_THAT(texts, ElementsAre("delete host ip rule: 0: from all lookup local",
                                 "swap host ip rule: 0: from all lookup local",
                                 "delete host ip rule: 100: from 192.168.99.0/24 iif br0 lookup 88",
                                 "widen 192.168.99.0/24 host ip rule: 100: from 192.168.99.0/24 iif br0 lookup 88",
                                 "narrow 192.168.99.0/24 host ip rule: 100: from 192.168.99.0/24 iif br0 lookup 88",
                                 "swap host ip rule: 100: from 192.168.99.0/24 iif br0 lookup 88",
                                 "delete host ip rule: 32766: from all lookup main"))
      << "the table default has no routes";
  EXPECT_THAT(rules[2].unless_changed, ElementsAre("ip -4 rule | grep -Fxq -- '100:\tfrom 192.168.99.0/24 iif br0 lookup 88'"));
  EXPECT_THAT(rules[5].commands,
              ElementsAre("ip -4 rule add pref 32766 from 192.168.99.0/24 iif br0 lookup 88",
                          "ip -4 rule add pref 100 from all lookup main",
                          "ip -4 rule del pref 100 from 192.168.99.0/24 iif br0 lookup 88",
                          "ip -4 rule del pref 32766 from all lookup main"));
}

TEST(RuleMutants, WithoutRoutesThereAreNone) {
  NodeState state = node();
  state.rules4 = kRules4;
  EXPECT_THAT(ids(state), ElementsAre());
}

TEST(RuleMutants, IPv6AsksItsFirstRulesOnlyOnceAnotherWasAdded) {
  NodeState state = node();
  state.routes6 = "unreachable fd00::/8 dev lo\nlocal ::1 dev lo table local\n";
  state.rules6 = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n";
  EXPECT_THAT(ids(state), ::testing::Not(::testing::Contains(HasSubstr("delete host ip -6 rule"))));
  EXPECT_THAT(ids(state), ::testing::Contains("swap host ip -6 rule: 0: from all lookup local"));
}

TEST(SysctlMutants, AreReset) {
  NodeState state = node();
  state.sysctls = {{"net.ipv4.ip_forward", "1", "0"},
                   {"net/ipv4/conf/eth0.5/rp_filter", "1", "0"},
                   {"net.ipv4.conf.all.forwarding", "1", "0"},
                   {"net.ipv4.conf.default.forwarding", "1", "0"},
                   {"net.ipv6.conf.eth0.forwarding", "1", "0"},
                   {"net.ipv6.conf.all.forwarding", "1", "0"},
                   {"net.ipv6.conf.eth0.accept_dad", "0", "1"}};
  const auto all = mutants_of(state);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].id, "reset host sysctl: net.ipv4.ip_forward = 1");
  EXPECT_EQ(all[0].becomes, "sysctl: net.ipv4.ip_forward = 0");
  EXPECT_THAT(all[0].unless_changed, ElementsAre("[ \"$(sysctl -n net.ipv4.ip_forward)\" = '1' ]"));
  EXPECT_THAT(all[0].commands, ElementsAre("sysctl -qw net.ipv4.ip_forward='0'"));
  EXPECT_EQ(all[1].line, "sysctl: net/ipv4/conf/eth0.5/rp_filter = 1");
  EXPECT_EQ(all[2].line, "sysctl: net.ipv6.conf.all.forwarding = 1");
}

TEST(IptablesLegacyMutants, RulesAndPolicies) {
  NodeState state = node();
  state.iptables_legacy = "# Generated by iptables-save\n*filter\n:FORWARD DROP [0:0]\n:mine - [0:0]\n"
                          "-A FORWARD -d 192.168.16.53/32 -i br0 -j ACCEPT\n"
                          "-A FORWARD -i br0 -m comment --comment \"a -j b\" -j REJECT --reject-with icmp-port-unreachable\n"
                          "-A mine\nCOMMIT\n";
  const auto all = mutants_of(state);
  std::vector<std::string> texts;
  for (const Mutant& mutant : all) texts.push_back(mutant.id);
  const std::string place = "host iptables-legacy filter: ";
  const std::string first = place + "-A FORWARD -d 192.168.16.53/32 -i br0 -j ACCEPT";
  const std::string second =
      place + "-A FORWARD -i br0 -m comment --comment \"a -j b\" -j REJECT --reject-with icmp-port-unreachable";
  EXPECT_THAT(texts, ElementsAre("flip " + place + "-P FORWARD DROP", "delete " + first, "swap " + first,
                                 "flip " + first, "widen 192.168.16.53 " + first, "delete " + second,
                                 "flip " + second, "delete " + place + "-A mine"));
  EXPECT_THAT(all[0].commands, ElementsAre("iptables-legacy -t filter -P FORWARD ACCEPT"));
  EXPECT_THAT(all[1].unless_changed, ElementsAre("[ \"$(iptables-legacy -t filter -S FORWARD 1)\" = '-A FORWARD -d "
                                                 "192.168.16.53/32 -i br0 -j ACCEPT' ]"));
  EXPECT_THAT(all[2].commands,
              ElementsAre("printf '%s\\n' '*filter\n-D FORWARD 1\n-I FORWARD 2 -d 192.168.16.53/32 -i br0 -j "
                          "ACCEPT\nCOMMIT' | iptables-legacy-restore --noflush"));
  EXPECT_THAT(all[4].becomes, "iptables-legacy filter: -A FORWARD -d 192.168.16.52/31 -i br0 -j ACCEPT");
  EXPECT_THAT(all[6].becomes, "iptables-legacy filter: -A FORWARD -i br0 -m comment --comment \"a -j b\" -j ACCEPT");
}

TEST(Mutants, ProgramLooksFirstAndThenMakesIt) {
  Mutant mutant;
  mutant.node = "host";
  mutant.line = "ip route: it's";
  mutant.unless_changed = {"test a"};
  mutant.commands = {"do b", "do c"};
  EXPECT_EQ(program_of(mutant, "host"),
            "test a || { echo 'this is not as it was read: ip route: it'\\''s' >&2; exit 1; }\ndo b\ndo c\n");
  mutant.node = "box";
  EXPECT_THAT(program_of(mutant, "host"), ::testing::StartsWith("exec ip netns exec 'box' /bin/sh -euc 'test a || "));
}

TEST(Mutants, StatesLeaveTheSandboxAsText) {
  NodeState state = node();
  state.nft = "table ip x {\n}\n";
  state.routes4 = "default dev eth0 \n";
  state.ip6tables_legacy = "*filter\n";
  state.sysctls = {{"net.ipv4.ip_forward", "1", "0"}};
  const std::vector<NodeState> states{state, node()};
  EXPECT_EQ(from_text(to_text(states)), states);
  EXPECT_THROW(from_text("[1]"), Error);
  EXPECT_THROW(from_text(""), Error);
}

}  // namespace
}  // namespace plumbline::engine::mutation
