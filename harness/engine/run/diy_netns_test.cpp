// The shipped scenario as it is, and broken by hand: exactly the right checks must notice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::engine {
namespace {

using testing::Scenario;
using testing::with_verdict;
using Results = std::map<std::string, CheckResult>;

/// Every check that `expected` picks has `verdict`, and every other one passes.
void expect_exactly(const Results& results, Verdict verdict,
                    const std::function<bool(const CheckResult&)>& expected) {
  std::size_t picked = 0;
  for (const auto& [id, check] : results) {
    const bool pick = expected(check);
    picked += pick ? 1 : 0;
    const Verdict wanted = pick ? verdict : Verdict::pass;
    EXPECT_STREQ(to_text(check.verdict), to_text(wanted)) << id << "\n  observed: " << check.observed;
  }
  EXPECT_GT(picked, 0U) << "the break concerns no check";
}

bool of_container(const CheckResult& check) {
  return check.from.starts_with("container");
}

TEST(Diy, PassesAsItShips) {
  const Results results = Scenario().run();
  EXPECT_GE(results.size(), 25U);
  for (const auto& [id, check] : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << id << "\n  observed: " << check.observed;
    EXPECT_FALSE(check.journey.empty()) << id;
  }
}

TEST(Diy, EveryDenyHasAControlThatGotThrough) {
  for (const auto& [id, check] : Scenario().run({.pattern = "diy/deny"})) {
    ASSERT_TRUE(check.control) << id;
    EXPECT_EQ(check.control->verdict, Verdict::pass) << id;
  }
}

TEST(Diy, WithoutMasqueradeJustTheWaysOutOfContainersFail) {
  Scenario scenario;
  scenario.edit("    masquerade: ens4\n", "");
  expect_exactly(scenario.run({.timeout = std::chrono::milliseconds(400)}), Verdict::fail,
                 [](const CheckResult& check) {
                   return of_container(check) && (check.type == "egress" || check.type == "resolve");
                 });
}

TEST(Diy, WithoutOneRejectJustThatRangeFails) {
  Scenario scenario;
  scenario.edit("deny: [10.0.0.0/8, 172.16.0.0/12,", "deny: [10.0.0.0/8,");
  expect_exactly(scenario.run(), Verdict::fail, [](const CheckResult& check) {
    return check.type == "deny" && check.to.starts_with("172.");
  });
}

TEST(Diy, WithoutTheDnsExceptionJustTheOwnResolverFails) {
  Scenario scenario;
  scenario.edit("        - {to: 192.168.16.53, with: [udp/53, tcp/53]}\n", "");
  expect_exactly(scenario.run(), Verdict::fail, [](const CheckResult& check) {
    return of_container(check) && check.type == "resolve" && check.to == "192.168.16.53";
  });
}

TEST(Diy, WithADeadListenerItsDenyIsInconclusiveAndNeverAPass) {
  Scenario scenario;
  scenario.edit_world("  metadata:\n", "  metadata:\n    plant: false\n");
  // The kernel itself answers pings, so only what needs a listener loses its proof.
  const Results results = scenario.run();
  for (const auto& [id, check] : results) {
    const bool metadata = check.to == "169.254.169.254" || check.to == "fd00:ec2::254";
    const bool listener = metadata && check.with != "ping";
    const Verdict wanted = !listener              ? Verdict::pass
                           : check.type == "deny" ? Verdict::inconclusive
                                                  : Verdict::fail;
    EXPECT_STREQ(to_text(check.verdict), to_text(wanted)) << id << "\n  observed: " << check.observed;
  }
  EXPECT_EQ(with_verdict(results, Verdict::inconclusive).size(), 8U);
}

TEST(Diy, ADropWhereARejectIsPromisedFails) {
  Scenario scenario;
  scenario.edit("      how: reject\n    masquerade", "      how: drop\n    masquerade");
  expect_exactly(scenario.run({.pattern = "10.1.2.3", .timeout = std::chrono::milliseconds(200)}),
                 Verdict::fail, [](const CheckResult& check) { return check.type == "deny"; });
}

TEST(Diy, AUsersOwnRulesetCountsToo) {
  Scenario scenario;
  scenario.edit("    masquerade: ens4\n",
                "    masquerade: ens4\n    nft: |\n      table ip mine {\n        chain out {\n"
                "          type filter hook forward priority -10; policy accept;\n"
                "          tcp dport 80 ip daddr 203.0.113.80 drop\n        }\n      }\n");
  expect_exactly(scenario.run({.timeout = std::chrono::milliseconds(400)}), Verdict::fail,
                 [](const CheckResult& check) {
                   return check.type == "egress" && check.with == "tcp/80" && check.family == "ipv4";
                 });
}

TEST(Diy, ABrokenRulesetIsAClearErrorAndNoVerdict) {
  Scenario scenario;
  scenario.edit("    masquerade: ens4\n",
                "    masquerade: ens4\n    nft: |\n      table ip mine { chain }\n");
  const RunResult result = run({scenario.load()}, {}, {});
  ASSERT_EQ(result.scenarios.size(), 1U);
  ASSERT_TRUE(result.scenarios[0].error);
  EXPECT_THAT(result.scenarios[0].error->message, ::testing::HasSubstr("syntax error"));
  EXPECT_EQ(result.exit_status(), 2);
}

TEST(Diy, GivesTheSameVerdictsFiveTimes) {
  for (int i = 0; i < 5; ++i) {
    const Results results = Scenario().run();
    EXPECT_EQ(with_verdict(results, Verdict::pass).size(), results.size());
  }
}

}  // namespace
}  // namespace plumbline::engine
