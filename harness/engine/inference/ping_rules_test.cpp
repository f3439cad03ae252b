#include "harness/engine/inference/ping_rules.hpp"

#include <gtest/gtest.h>

namespace plumbline::engine {
namespace {

using proof::Chain;
using proof::firewall::Decision;
using Backend = proof::RuleMet::Backend;
using Verdict = proof::firewall::RuleWords::Verdict;

Chain input(const std::vector<std::string>& rules, const std::string& policy = "drop") {
  Chain chain;
  chain.family = "ip";
  chain.table = "filter";
  chain.name = "input";
  chain.type = "filter";
  chain.hook = proof::Hook::input;
  chain.policy = policy;
  for (std::size_t i = 0; i < rules.size(); ++i) chain.rules.push_back({i + 1, rules[i], {}, {}});
  return chain;
}

proof::firewall::RulePacket ping(const std::string& state = "new") {
  proof::firewall::RulePacket packet;
  packet.source = *IpAddress::parse("10.0.0.2");
  packet.destination = *IpAddress::parse("10.0.0.1");
  packet.iif = "br0";
  packet.protocol = 1;
  packet.state = state;
  return packet;
}

Verdict decided(const std::vector<Chain>& chains, const std::string& state = "new") {
  return decide_ping(chains, chains.front(), ping(state)).verdict;
}

TEST(PingRules, AConditionOnItsTypeHoldsOrDoesNot) {
  EXPECT_EQ(decided({input({"icmp type echo-request accept"})}), Verdict::accept);
  EXPECT_EQ(decided({input({"icmp type { destination-unreachable, echo-request } counter accept"})}),
            Verdict::accept);
  EXPECT_EQ(decided({input({"meta l4proto icmp icmp type echo-request counter accept"})}), Verdict::accept);
  EXPECT_EQ(decided({input({"icmp type destination-unreachable accept"})}), Verdict::drop);
  EXPECT_EQ(decided({input({"icmp type echo-request drop"}, "accept")}, "established"), Verdict::accept);
  EXPECT_EQ(decided({input({"icmp type echo-reply accept"})}, "established"), Verdict::accept);
}

TEST(PingRules, WhatIsNotUnderstoodOfTheTypeStaysOpen) {
  EXPECT_EQ(decided({input({"icmp type != echo-reply accept"})}), Verdict::other);
  EXPECT_EQ(decided({input({"icmp type @types accept"})}), Verdict::other);
  EXPECT_EQ(decided({input({"icmp type vmap { echo-request : accept }"})}), Verdict::other);
}

TEST(PingRules, IptablesWordsAreReadToo) {
  EXPECT_EQ(as_ping_meets(Backend::iptables_legacy, "-p icmp -m icmp --icmp-type 8 -j ACCEPT", false),
            "-p icmp  -j ACCEPT");
  Chain chain = input({"-p icmp -m icmp --icmp-type 8 -j ACCEPT"});
  chain.backend = Backend::iptables_legacy;
  EXPECT_EQ(decided({chain}), Verdict::accept);
  chain.rules[0].text = "-p icmp -m icmp --icmp-type 3 -j ACCEPT";
  EXPECT_EQ(decided({chain}), Verdict::drop);
  chain.rules[0].text = "-p icmp -m icmp --icmp-type 8/0 -j ACCEPT";
  EXPECT_EQ(decided({chain}), Verdict::other);
}

TEST(PingRules, ADoubtMattersOnlyWhereTheRestEndsOtherwise) {
  EXPECT_EQ(decided({input({"limit rate 1/hour accept", "ip saddr 10.0.0.0/8 accept"})}), Verdict::accept);
  EXPECT_EQ(decided({input({"limit rate 1/hour drop"})}), Verdict::drop);
  const std::vector<Chain> open{input({"limit rate 1/hour accept"})};
  const Decision decision = decide_ping(open, open.front(), ping());
  EXPECT_EQ(decision.verdict, Verdict::other);
  ASSERT_NE(decision.rule, nullptr);
  EXPECT_EQ(decision.rule->text, "limit rate 1/hour accept");
  EXPECT_EQ(decided({input({"limit rate 1/hour drop", "accept"})}), Verdict::other);
  EXPECT_EQ(decided({input({"ct state vmap { established : accept, invalid : drop }", "accept"})}),
            Verdict::other);
}

TEST(PingRules, NothingIsTurnedWhereNoRuleTurns) {
  std::vector<Chain> chains{input({"ct status dnat accept", "reject"}, "accept")};
  EXPECT_EQ(decided(chains), Verdict::reject);
  chains.push_back(input({"tcp dport 8080 dnat to 10.0.0.9"}, "accept"));
  chains.back().name = "turn";
  EXPECT_EQ(decided(chains), Verdict::reject);
  chains.back().rules[0].text = "ip daddr 10.0.0.1 dnat to 10.0.0.9";
  EXPECT_EQ(decided(chains), Verdict::other);
}

TEST(PingRules, AMarkIsSetByTheRuleThatMayHold) {
  Chain chain =
      input({"iifname \"br9\" meta mark set 0x00000007", "iifname \"br0\" meta mark set 0x00000007"});
  chain.hook = proof::Hook::prerouting;
  const std::vector<Chain> chains{chain};
  const MarkingRule found = may_mark(chains, ping());
  ASSERT_NE(found.rule, nullptr);
  EXPECT_EQ(found.rule->number, 2U);
  proof::firewall::RulePacket other = ping();
  other.iif = "br1";
  EXPECT_EQ(may_mark(chains, other).rule, nullptr);
}

}  // namespace
}  // namespace plumbline::engine
