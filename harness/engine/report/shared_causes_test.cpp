#include "harness/engine/report/shared_causes.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

CheckResult failed_for(const std::string& code, const std::string& fix, bool proven = true) {
  CheckResult check = samples::failed();
  check.causes = {Cause{code, "summary of " + code, {"evidence"}, fix, proven}};
  return check;
}

/// Each check with an id of its own.
RunResult run_of(std::vector<std::vector<CheckResult>> scenarios) {
  RunResult run;
  for (auto& checks : scenarios) {
    for (std::size_t i = 0; i < checks.size(); ++i) checks[i].id = fmt::format("check {}", i);
    ScenarioResult& scenario = run.scenarios.emplace_back();
    scenario.name = fmt::format("scenario {}", run.scenarios.size());
    scenario.checks = std::move(checks);
  }
  return run;
}

TEST(SharedCauses, TheOneOfTheMostChecksIsFirstInWhicheverScenariosTheyAre) {
  const auto run = run_of({{failed_for("b", "mend b"), failed_for("a", "mend a")},
                           {failed_for("b", "mend b"), failed_for("a", "mend a")},
                           {failed_for("a", "mend a")}});
  const auto shared = shared_causes(run).most;
  ASSERT_EQ(shared.size(), 2U);
  EXPECT_EQ(shared[0].checks, 3U);
  EXPECT_EQ(shared[0].cause, (Cause{"a", "summary of a", {}, "mend a", true}));
  EXPECT_FALSE(shared[0].fixes_differ);
  EXPECT_EQ(headline(shared[0]), "3 checks have one cause");
  EXPECT_EQ(fix_text(shared[0]), "mend a");
  EXPECT_EQ(shared[1].cause.code, "b");
  const SharedCauses first = shared_causes(run, 1);
  EXPECT_EQ(first.most.size(), 1U);
  EXPECT_EQ(first.others, 1U);
}

TEST(SharedCauses, HostsAreMendedEachByItself) {
  RunResult run =
      run_of({{failed_for("a", "mend a"), failed_for("a", "mend a")}, {failed_for("a", "mend a")}});
  run.scenarios[0].host = "web-1";
  run.scenarios[1].host = "web-2";
  const auto shared = shared_causes(run).most;
  ASSERT_EQ(shared.size(), 1U);
  EXPECT_EQ(headline(shared[0]), "2 checks on web-1 have one cause");
}

TEST(SharedCauses, ACauseOfOneCheckAloneIsNone) {
  EXPECT_TRUE(shared_causes(run_of({{failed_for("a", "mend a"), failed_for("b", "mend b")}})).most.empty());
}

TEST(SharedCauses, ACheckThatFailedInEachRepetitionIsOneCheck) {
  RunResult run = run_of({{failed_for("a", "mend a")}, {failed_for("a", "mend a")}});
  run.scenarios[1].name = run.scenarios[0].name;
  run.scenarios[1].repetition = 2;
  EXPECT_TRUE(shared_causes(run).most.empty());
}

TEST(SharedCauses, WhatPassedOrKnowsNoCauseDoesNotCount) {
  CheckResult passed = failed_for("a", "mend a");
  passed.verdict = Verdict::pass;
  CheckResult unexplained = samples::failed();
  unexplained.causes.clear();
  CheckResult skipped = failed_for("a", "mend a");
  skipped.verdict = Verdict::skip;
  EXPECT_TRUE(shared_causes(run_of({{failed_for("a", "mend a"), passed, unexplained, unexplained, skipped}}))
                  .most.empty());
}

TEST(SharedCauses, FixesThatDifferAreNoneAndOneThatIsOnlyLikelyMakesAllSo) {
  const auto shared = shared_causes(run_of({{failed_for("a", "mend x"), failed_for("a", "mend y"),
                                             failed_for("b", "mend b"), failed_for("b", "mend b", false)}}))
                          .most;
  ASSERT_EQ(shared.size(), 2U);
  EXPECT_TRUE(shared[0].fixes_differ);
  EXPECT_EQ(shared[0].cause.fix, "");
  EXPECT_EQ(headline(shared[0]), "2 checks have causes of one kind");
  EXPECT_FALSE(shared[1].cause.proven);
}

}  // namespace
}  // namespace plumbline::engine
