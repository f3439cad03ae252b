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
  scenario.checks("  - reach: {from: container-one, to: lan-peer}");
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
      "  - deny: {from: container-one, to: host, with: tcp/22, how: drop, control: container-two}");
  scenario.edit("    masquerade: ens4\n",
                "    masquerade: ens4\n    nft: |\n      table inet mine {\n        chain in {\n"
                "          type filter hook input priority 0; policy accept;\n"
                "          ip saddr 192.168.99.11 tcp dport 22 drop\n        }\n      }\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
}

TEST(Deny, OfTheHostsOwnTrafficRestsOnItsKernelsRefusal) {
  Scenario scenario;
  scenario.checks("  - deny: {from: host, to: lan-peer, with: udp/514, control: gateway}");
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
  scenario.checks("  - deny: {from: container-one, to: host, with: tcp/22, control: container-two}");
  EXPECT_EQ(only(scenario).verdict, Verdict::fail);
}

TEST(Egress, FailsByTheWrongUplink) {
  Scenario scenario;
  scenario.checks("  - egress: {from: container-one, to: internet, via: ens5, with: ping}");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("by ens4 instead of ens5"));
}

TEST(Egress, ToATargetThatIsDeadForTheHostTooIsInconclusive) {
  Scenario scenario;
  scenario.checks("  - egress: {from: container-one, to: internet, via: ens4, with: tcp/81}");
  scenario.edit_world("  internet:\n", "  internet:\n    plant: false\n");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
}

TEST(Resolve, FailsAWrongAnswerAndANameThatIsNotThere) {
  Scenario wrong;
  wrong.checks("  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.81, with: udp}");
  EXPECT_EQ(only(wrong).verdict, Verdict::fail);
  Scenario unknown;
  unknown.checks("  - resolve: {from: container-one, name: nowhere.example.test, with: tcp}");
  EXPECT_EQ(only(unknown).verdict, Verdict::fail);
}

TEST(Resolve, FailsWhereNobodyListens) {
  Scenario scenario;
  scenario.checks("  - resolve: {from: host, name: www.example.test, server: lan-peer, with: udp}");
  const CheckResult check = only(scenario);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("port unreachable"));
}

}  // namespace
}  // namespace plumbline::checks
