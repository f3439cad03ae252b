// Each kind of check on small networks that must make it fail, or leave it without proof.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::checks {
namespace {

using engine::CheckResult;
using engine::RunOptions;
using engine::Verdict;
using engine::testing::Scenario;
using testing::HasSubstr;

CheckResult only(const Scenario& scenario) {
  const auto results = scenario.run({.timeout = std::chrono::milliseconds(200)});
  EXPECT_EQ(results.size(), 1U);
  return results.empty() ? CheckResult{} : results.begin()->second;
}

TEST(Reach, FailsWhereAFirewallDropsAndSaysHowFarItGot) {
  Scenario scenario;
  scenario.checks("  - reach: {from: container-one, to: lan-peer, family: ipv4}");
  scenario.edit("how: reject", "how: drop");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("last seen at host:"));
}

TEST(Reach, FailsWithTheKernelsWordWhereThereIsNoRoute) {
  Scenario scenario;
  scenario.checks("  - reach: {from: lan-peer, to: 203.0.113.80, with: udp/7}");
  scenario.edit_world(
      "  lan-peer:\n    interfaces:\n      eth0: {segment: lan, addresses: [192.168.16.66/24, "
      "\"2001:db8:16::66/64\"]}\n    routes:\n      - {to: default, via: 192.168.16.1}\n",
      "  lan-peer:\n    interfaces:\n      eth0: {segment: lan, addresses: [192.168.16.66/24, "
      "\"2001:db8:16::66/64\"]}\n    routes:\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("Network is unreachable"));
}

TEST(Deny, OfATargetThatTheProbeIsNeverSentToIsInconclusive) {
  Scenario scenario;
  scenario.checks("  - deny: {from: public-resolver, to: 10.1.2.3, control: host}");  // it has no route there
  EXPECT_EQ(only(scenario).verdict, Verdict::inconclusive);
}

TEST(Deny, OfAMistypedAddressThatNobodyHasIsInconclusive) {
  Scenario scenario;
  scenario.checks("  - deny: {from: container-one, to: 192.168.16.99, with: ping}");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::inconclusive);
  EXPECT_THAT(check.observed, HasSubstr("the control failed too"));
}

TEST(Deny, OfTheHostItselfPassesByItsInputChain) {
  Scenario scenario;
  scenario.checks(
      "  - deny: {from: container-one, to: host, with: tcp/22, how: drop, control: container-two, family: "
      "ipv4}");
  scenario.edit("    masquerade: ens4\n",
                "    masquerade: ens4\n    nft: |\n      table inet mine {\n        chain in {\n"
                "          type filter hook input priority 0; policy accept;\n"
                "          ip saddr 192.168.99.11 tcp dport 22 drop\n        }\n      }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
}

TEST(Deny, OfTheHostsOwnTrafficRestsOnItsKernelsRefusal) {
  Scenario scenario;
  scenario.checks("  - deny: {from: host, to: lan-peer, with: udp/514, control: gateway, family: ipv4}");
  scenario.edit("    masquerade: ens4\n",
                "    masquerade: ens4\n    nft: |\n      table inet mine {\n        chain out {\n"
                "          type filter hook output priority 0; policy accept;\n"
                "          udp dport 514 drop\n        }\n      }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("Operation not permitted"));
}

TEST(Deny, FailsWhereTheHostLetsItThroughToItself) {
  Scenario scenario;
  scenario.checks(
      "  - deny: {from: container-one, to: host, with: tcp/22, control: container-two, family: ipv4}");
  EXPECT_EQ(only(scenario).verdict, Verdict::fail);
}

/// The user's own ruleset for the host.
void with_rules(Scenario& scenario, const std::string& rules) {
  scenario.edit("    masquerade: ens4\n",
                "    masquerade: ens4\n    nft: |\n      table inet mine {\n" + rules + "      }\n");
}

TEST(Deny, BetweenContainersOfOneBridgeIsProvenAtTheBridgesPorts) {
  Scenario scenario;
  scenario.checks("  - deny: {from: container-one, to: container-two, how: drop, family: ipv4}");
  // br_netfilter takes frames between two ports of one bridge through the forward hook.
  with_rules(
      scenario,
      "        chain f { type filter hook forward priority -10; policy accept; ip saddr 192.168.99.11 ip "
      "daddr 192.168.99.12 icmp type echo-request drop; }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
}

TEST(Deny, OfTheHostFailsWhereOnlyTheAnswerIsDropped) {
  Scenario scenario;
  scenario.checks(
      "  - deny: {from: container-one, to: host, with: tcp/25, control: container-two, family: ipv4}");
  with_rules(scenario,
             "        chain o { type filter hook output priority 0; policy accept; ip daddr 192.168.99.11 "
             "tcp sport 25 "
             "drop; }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
}

TEST(Deny, FollowsATcpProbeWhoseBothPortsNatChanged) {
  Scenario scenario;
  scenario.checks("  - deny: {from: container-one, to: 11.2.3.4, with: tcp/80, control: host}");
  with_rules(
      scenario,
      "        chain p { type nat hook prerouting priority -100; ip daddr 11.2.3.4 tcp dport 80 dnat ip to "
      "192.168.99.12:8080; }\n"
      "        chain s { type nat hook postrouting priority 90; ip saddr 192.168.99.11 meta l4proto tcp "
      "masquerade fully-random; }\n"
      "        chain r { type filter hook forward priority -10; tcp sport 8080 drop; }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("seen"));
}

TEST(Deny, OfTheHostsTrafficFailsWhereItsOwnDnatSendsItElsewhere) {
  Scenario scenario;
  scenario.checks("  - deny: {from: host, to: 10.1.2.3, with: tcp/80, control: lan-peer}");
  with_rules(
      scenario,
      "        chain o { type nat hook output priority -100; ip daddr 10.1.2.3 meta l4proto tcp dnat ip to "
      "192.168.16.66:4444; }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
}

TEST(Deny, OverADeadNextHopIsInconclusive) {
  Scenario scenario;
  scenario.checks("  - deny: {from: container-one, to: 11.2.3.4, control: lan-peer}");
  with_rules(scenario,
             "        chain p { type nat hook prerouting priority -100; ip daddr 11.2.3.4 dnat ip to "
             "192.168.99.200; }\n");
  EXPECT_EQ(only(scenario).verdict, Verdict::inconclusive);
}

TEST(Deny, WithAControlThatHoldsTheTargetItselfIsInconclusive) {
  Scenario scenario;
  scenario.checks("  - deny: {from: container-one, to: 192.168.16.66, control: lan-peer}");
  EXPECT_EQ(only(scenario).verdict, Verdict::inconclusive);
}

TEST(Deny, FailsWhereTheProbeIsDeliveredToTheGuardInstead) {
  Scenario scenario;
  // The reach plants the listener at the host.
  scenario.checks(
      "  - deny: {from: container-one, to: 10.1.2.3, with: udp/80}\n"
      "  - reach: {from: container-two, to: host, with: udp/9997}");
  with_rules(scenario,
             "        chain p { type nat hook prerouting priority -100; iifname bridge0 ip daddr 10.1.2.3 "
             "udp dport 80 "
             "redirect to :9997; }\n"
             "        chain o { type filter hook output priority 0; ip daddr 192.168.99.11 udp sport 9997 "
             "drop; }\n");
  const auto results = scenario.run({.timeout = std::chrono::milliseconds(200)});
  const CheckResult& check = results.at("deny container-one -> 10.1.2.3 udp/80");
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
}

TEST(Reach, OfALoopbackAddressIsTheSendersOwn) {
  Scenario scenario;
  scenario.checks(
      "  - reach: {from: [host, container-two], to: 127.0.0.1, with: [ping, tcp/8080, udp/8080]}");
  for (const auto& [id, result] : scenario.run({.timeout = std::chrono::milliseconds(200)})) {
    EXPECT_EQ(result.verdict, Verdict::pass) << id << ": " << result.observed;
  }
}

TEST(Reach, FailsWhereTheHostAnswersItselfInAnAddressThatNobodyHolds) {
  Scenario scenario;
  scenario.checks("  - reach: {from: host, to: 11.2.3.4}");
  with_rules(
      scenario,
      "        chain o { type nat hook output priority -100; ip daddr 11.2.3.4 dnat ip to 192.168.99.1; }\n");
  const CheckResult check = only(scenario);
  EXPECT_NE(check.verdict, Verdict::pass) << check.observed;
}

TEST(Deny, OfADnsServersOwnPortIsProvenByAQuestion) {
  Scenario scenario;
  scenario.checks(
      "  - deny: {from: container-one, to: lan-resolver, with: udp/53, how: reject, family: ipv4}");
  scenario.edit("        - {to: 192.168.16.53, with: [udp/53, tcp/53]}\n", "");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
}

TEST(Reach, OfADnsServersOwnPortIsAnswered) {
  Scenario scenario;
  scenario.checks("  - reach: {from: host, to: lan-resolver, with: udp/53, family: ipv4}");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
}

TEST(Reach, FailsAConnectionWhoseDataIsDropped) {
  Scenario scenario;
  scenario.checks("  - reach: {from: container-one, to: internet, with: tcp/80, family: ipv4}");
  with_rules(scenario,
             "        chain f { type filter hook forward priority -10; policy accept; tcp flags & psh == psh "
             "drop; }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("no answer"));
}

TEST(Reach, FailsWhereAnotherNodeAnswersInTheTargetsName) {
  // container-two must listen, or nobody would answer.
  const auto results =
      Scenario()
          .checks(
              "  - reach: {from: container-one, to: 11.2.3.4, with: udp/7}\n"
              "  - reach: {from: host, to: container-two, with: udp/7}")
          .edit("    masquerade: ens4\n",
                "    masquerade: ens4\n    nft: |\n      table inet mine {\n        chain p { type nat hook "
                "prerouting priority -100; ip daddr 11.2.3.4 dnat ip to 192.168.99.12; }\n      }\n")
          .run({.timeout = std::chrono::milliseconds(200)});
  const CheckResult& hijacked = results.at("reach container-one -> 11.2.3.4 udp/7");
  EXPECT_EQ(hijacked.verdict, Verdict::fail);
  EXPECT_THAT(hijacked.observed, HasSubstr("it was container-two that answered"));
  EXPECT_EQ(results.at("reach host -> container-two udp/7").verdict, Verdict::pass);
}

TEST(Egress, OverIpv6ToAnAddressTakesTheUplinksOwnOfThatFamily) {
  Scenario scenario;
  scenario.checks("  - egress: {from: host, to: \"2001:db8:ffff::80\", via: ens4}");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
}

TEST(Egress, RefusesASourceOfTheOtherFamilyAndAnUplinkThatIsNone) {
  Scenario family;
  family.checks("  - egress: {from: host, to: 203.0.113.80, via: ens4, as: \"2001:db8:16::10\"}");
  EXPECT_THROW(family.run(), spec::SpecError);
  for (const char* inside : {"lo", "bridge0", "veth1"}) {
    Scenario uplink;
    uplink.checks(std::string("  - egress: {from: container-one, to: internet, via: ") + inside + "}");
    EXPECT_THROW(uplink.run(), spec::SpecError) << inside;
  }
}

TEST(Egress, FailsByTheWrongUplink) {
  Scenario scenario;
  scenario.checks("  - egress: {from: container-one, to: internet, via: ens5, with: ping, family: ipv4}");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("by ens4 instead of ens5"));
}

TEST(Egress, ToATargetThatIsDeadForTheHostTooIsInconclusive) {
  Scenario scenario;
  scenario.checks("  - egress: {from: container-one, to: internet, via: ens4, with: tcp/81, family: ipv4}");
  scenario.edit_world("  internet:\n", "  internet:\n    plant: false\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
}

TEST(Resolve, FailsAWrongAnswerAndANameThatIsNotThere) {
  Scenario wrong;
  wrong.checks(
      "  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.81, with: udp, family: "
      "ipv4}");
  EXPECT_EQ(only(wrong).verdict, Verdict::fail);
  Scenario unknown;
  unknown.checks("  - resolve: {from: container-one, name: nowhere.example.test, with: tcp, family: ipv4}");
  EXPECT_EQ(only(unknown).verdict, Verdict::fail);
}

TEST(Resolve, FailsWhereNobodyListens) {
  Scenario scenario;
  scenario.checks(
      "  - resolve: {from: host, name: www.example.test, server: lan-peer, with: udp, family: ipv4}");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("port unreachable"));
}

}  // namespace
}  // namespace plumbline::checks
