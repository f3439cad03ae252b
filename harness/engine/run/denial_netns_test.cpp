// Denials in silence end when the kernel has told which rule dropped the probe, long before the time-out.
#include <gtest/gtest.h>

#include <chrono>

#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::engine {
namespace {

using testing::Scenario;

/// So long that a probe which waits for it makes the test fail by its own limit.
constexpr std::chrono::milliseconds kForever{100'000};

RunOptions patient() {
  RunOptions options;
  options.timeout = kForever;
  return options;
}

void expect_dropped_by(const std::map<std::string, CheckResult>& results, const std::string& rule) {
  EXPECT_FALSE(results.empty());
  for (const auto& [id, check] : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << id << ": " << check.observed;
    EXPECT_NE(check.observed.find(rule), std::string::npos) << id << ": " << check.observed;
    EXPECT_LT(check.duration_ms, static_cast<double>(kForever.count())) << id;
  }
}

TEST(Denials, EndOnceADroppingRuleIsKnown) {
  const auto results =
      Scenario()
          .edit("how: reject", "how: drop")
          .checks(
              "  - deny: {from: container-one, to: [10.1.2.3, \"fd00:1::3\"], with: [ping, tcp/80, udp/5353, "
              "udp/53], how: drop}")
          .run(patient());
  EXPECT_EQ(results.size(), 8U);
  expect_dropped_by(results, "dropped by rule of host's ");
}

TEST(Denials, EndOnceTheDroppingPolicyIsKnown) {
  const auto results =
      Scenario()
          .checks(
              "  - then: {nft: {in: host, rules: \"table inet strict { chain forward { type filter hook "
              "forward priority 10; policy drop; }; }\"}}\n"
              "  - deny: {from: container-one, to: internet, with: [ping, tcp/80]}")
          .run(patient());
  expect_dropped_by(results, "dropped by policy drop of host's inet strict forward");
}

TEST(Denials, EndOnceTheHostsOwnOutputIsKnownToDrop) {
  const auto results =
      Scenario()
          .checks(
              "  - then: {nft: {in: host, rules: \"table inet strict { chain out { type filter hook "
              "output priority 10; ip daddr 203.0.113.80 drop; }; }\"}}\n"
              "  - deny: {from: host, to: 203.0.113.80, with: [ping, tcp/80, udp/7], control: "
              "container-one}")
          .run(patient());
  expect_dropped_by(results, "by rule of host's inet strict out");
}

TEST(Denials, ToTheGuardItselfAreProvenByItsRule) {
  const auto results =
      Scenario()
          .checks(
              "  - then: {nft: {in: host, rules: \"table inet strict { chain in { type filter hook "
              "input priority 10; iifname bridge0 ip saddr 192.168.99.11 drop; }; }\"}}\n"
              "  - deny: {from: container-one, to: 192.168.99.1, with: [ping, tcp/80], control: "
              "container-two}")
          .run(patient());
  expect_dropped_by(results, "dropped by rule of host's inet strict in");
}

TEST(Denials, EndOnceARuleOfIptablesLegacyIsKnown) {
  const auto results =
      Scenario()
          .checks(
              "  - run: {shell: \"iptables-legacy -I FORWARD -d 203.0.113.80 -j DROP\"}\n"
              "  - deny: {from: container-one, to: 203.0.113.80, with: [ping, tcp/80], how: drop}")
          .run(patient());
  if (!results.empty() && results.begin()->second.verdict == Verdict::skip)
    GTEST_SKIP() << "no iptables-legacy";
  expect_dropped_by(results, "dropped by rule of host's ip filter FORWARD (number 1)");
}

TEST(Denials, EndOnceARuleOfABridgeIsKnown) {
  const auto results =
      Scenario()
          .checks(
              "  - then: {nft: {in: host, rules: \"table bridge filter { chain forward { type filter hook "
              "forward priority 0; ip daddr 192.168.99.12 drop; ip6 daddr fd00:99::12 drop; }; }\"}}\n"
              "  - deny: {from: container-one, to: container-two, with: [ping, tcp/8080, udp/5353], how: "
              "drop}")
          .run(patient());
  EXPECT_EQ(results.size(), 6U);
  expect_dropped_by(results, "dropped by rule of host's bridge filter forward");
}

/// A hub with a third port, at which rules drop.
std::string hub(const std::string& rules) {
  return "  - run:\n      shell: |\n        ip link add spare type veth peer name spare-end\n"
         "        ip link set spare master bridge0 up\n        ip link set spare-end up\n"
         "        ip link set bridge0 type bridge ageing_time 0\n"
         "        ip link set bridge0 type bridge fdb_flush\n"
         "  - then: {nft: {in: host, rules: \"table bridge filter { chain forward { type filter hook forward "
         "priority 0; " +
         rules + " }; }\"}}\n";
}

TEST(Denials, AreNotProvenByTheEndOfOneCopyAmongOthers) {
  RunOptions options;
  options.timeout = std::chrono::milliseconds(500);
  const auto results =
      Scenario()
          .checks(hub("oifname spare drop;") +
                  "  - deny: {from: container-one, to: container-two, with: [ping, tcp/8080, udp/5353]}\n"
                  "  - reach: {from: container-two, to: container-one, with: [ping, tcp/8080]}")
          .run(options);
  EXPECT_EQ(results.size(), 10U);
  for (const auto& [id, check] : results) {
    const bool denial = id.starts_with("deny");
    EXPECT_EQ(check.verdict, denial ? Verdict::fail : Verdict::pass) << id << ": " << check.observed;
    EXPECT_EQ(check.observed.find("not denied: answered") == 0, denial) << id << ": " << check.observed;
  }
}

TEST(Denials, EndOnceAllCopiesAreKnownToFareAlike) {
  const auto results =
      Scenario()
          .checks(hub("ip daddr 192.168.99.12 drop; ip6 daddr fd00:99::12 drop;") +
                  "  - deny: {from: container-one, to: container-two, with: [ping, tcp/8080], how: drop}")
          .run(patient());
  EXPECT_EQ(results.size(), 4U);
  expect_dropped_by(results, "dropped by rule of host's bridge filter forward");
}

TEST(Denials, SayWhichChainsAreNotTraced) {
  const auto results = Scenario()
                           .checks(
                               "  - then: {nft: {in: host, rules: \"table netdev t { chain c { type filter "
                               "hook ingress device "
                               "ens4 priority 0; }; }\"}}\n"
                               "  - deny: {from: container-one, to: 10.1.2.3, with: tcp/80}")
                           .run(patient());
  ASSERT_EQ(results.size(), 1U);
  const CheckResult& check = results.begin()->second;
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
  EXPECT_EQ(check.incomplete,
            std::vector<std::string>{"rules of host: devices' chains are not traced: netdev t c"});
}

TEST(Denials, WithoutTracesWaitForTheTimeOut) {
  RunOptions options;
  options.timeout = std::chrono::milliseconds(200);
  options.trace_rules = false;
  const auto results =
      Scenario()
          .edit("how: reject", "how: drop")
          .checks("  - deny: {from: container-one, to: 10.1.2.3, with: [ping, tcp/80], how: drop}")
          .run(options);
  ASSERT_EQ(results.size(), 2U);
  for (const auto& [id, check] : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << id << ": " << check.observed;
    EXPECT_GE(check.duration_ms, 200.0) << id;
  }
}

}  // namespace
}  // namespace plumbline::engine
