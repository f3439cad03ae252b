#include "harness/engine/check/result.hpp"

#include <gtest/gtest.h>

namespace plumbline::engine {
namespace {

RunResult run_with(std::vector<Verdict> verdicts) {
  RunResult run;
  ScenarioResult scenario;
  for (const Verdict verdict : verdicts) {
    CheckResult check;
    check.verdict = verdict;
    scenario.checks.push_back(check);
  }
  run.scenarios.push_back(scenario);
  return run;
}

TEST(Result, VerdictsHaveTheWordsOfTheReport) {
  EXPECT_STREQ(to_text(Verdict::pass), "pass");
  EXPECT_STREQ(to_text(Verdict::fail), "fail");
  EXPECT_STREQ(to_text(Verdict::inconclusive), "inconclusive");
  EXPECT_STREQ(to_text(Verdict::skip), "skip");
  EXPECT_STREQ(to_text(Verdict::error), "error");
}

TEST(Result, SummaryCountsEachVerdictOverAllScenarios) {
  RunResult run =
      run_with({Verdict::pass, Verdict::pass, Verdict::fail, Verdict::inconclusive, Verdict::skip});
  run.scenarios.push_back(run_with({Verdict::error, Verdict::pass}).scenarios.front());
  const Summary summary = run.summary();
  EXPECT_EQ(summary.passed, 3U);
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_EQ(summary.inconclusive, 1U);
  EXPECT_EQ(summary.skipped, 1U);
  EXPECT_EQ(summary.errors, 1U);
}

TEST(Result, AScenariosOwnErrorCountsOnce) {
  RunResult run = run_with({Verdict::pass});
  run.scenarios.front().error = ScenarioError{"cannot be built", "a.yaml:1:1", ""};
  EXPECT_EQ(run.summary().passed, 1U);
  EXPECT_EQ(run.summary().errors, 1U);
  EXPECT_EQ(run.exit_status(), 5);
}

TEST(Result, AScenarioThatCannotBeTellsWhoseFaultItIs) {
  RunResult run = run_with({Verdict::skip});
  run.scenarios.front().error = ScenarioError{"no such capability", "a.yaml", "", ErrorKind::environment};
  EXPECT_EQ(run.exit_status(), 3);
  run.scenarios.front().error->kind = ErrorKind::usage;
  EXPECT_EQ(run.exit_status(), 2);
}

TEST(Result, ExitStatusTellsTheWorst) {
  EXPECT_EQ(run_with({}).exit_status(), 0);
  EXPECT_EQ(run_with({Verdict::pass, Verdict::skip}).exit_status(), 0);
  EXPECT_EQ(run_with({Verdict::pass, Verdict::inconclusive}).exit_status(), 4);
  EXPECT_EQ(run_with({Verdict::inconclusive, Verdict::error}).exit_status(), 5);
  EXPECT_EQ(run_with({Verdict::inconclusive, Verdict::error, Verdict::fail}).exit_status(), 1);
  RunResult interrupted = run_with({Verdict::fail});
  interrupted.interrupted = true;
  EXPECT_EQ(interrupted.exit_status(), 130);
}

/// A run of one scenario with one check, whose verdict was each of `verdicts` in turn.
RunResult repeated(std::vector<Verdict> verdicts) {
  RunResult run;
  for (const Verdict verdict : verdicts) {
    run.scenarios.push_back(run_with({verdict}).scenarios.front());
    run.scenarios.back().name = "diy";
    run.scenarios.back().setup = "native";
    run.scenarios.back().checks.front().id = "reach";
    run.scenarios.back().repetition = run.scenarios.size();
  }
  run.repetitions = verdicts.size();
  return run;
}

TEST(Result, RepetitionsThatAgreeAreNoDifference) {
  EXPECT_TRUE(repeated({Verdict::pass, Verdict::pass}).differing().empty());
  EXPECT_TRUE(repeated({Verdict::fail, Verdict::fail}).differing().empty());
  EXPECT_TRUE(repeated({Verdict::pass}).differing().empty());
  EXPECT_EQ(repeated({Verdict::pass, Verdict::pass}).exit_status(), 0);
}

TEST(Result, RepetitionsThatDifferAreTold) {
  const auto differing = repeated({Verdict::pass, Verdict::fail, Verdict::pass}).differing();
  ASSERT_EQ(differing.size(), 1U);
  EXPECT_EQ(differing.front(),
            (Difference{"diy", "native", "reach", {{Verdict::pass, {1, 3}}, {Verdict::fail, {2}}}}));
  EXPECT_EQ(repeated({Verdict::pass, Verdict::fail}).exit_status(), 1);
  EXPECT_EQ(repeated({Verdict::pass, Verdict::skip}).exit_status(), 4);
}

TEST(Result, TheSameCheckUnderAnotherSetupIsAnotherOne) {
  RunResult run = repeated({Verdict::pass, Verdict::fail});
  run.scenarios.back().setup = "script";
  EXPECT_TRUE(run.differing().empty());
}

TEST(Result, AnotherHostIsNoRepetition) {
  RunResult run = repeated({Verdict::pass, Verdict::fail});
  run.scenarios.back().host = "web2";
  EXPECT_TRUE(run.differing().empty());
}

TEST(Result, HostsThatDifferAreTold) {
  RunResult run = repeated({Verdict::pass, Verdict::fail, Verdict::pass});
  run.scenarios[0].host = run.scenarios[1].host = "web1";
  run.scenarios[2].host = "web2";
  ASSERT_EQ(run.across_hosts().size(), 1U);
  EXPECT_EQ(
      run.across_hosts().front(),
      (HostDifference{"diy", "native", "reach", {{Verdict::fail, {"web1"}}, {Verdict::pass, {"web2"}}}}))
      << "of repetitions, the gravest counts";
  run.scenarios[2].host = "web1";
  EXPECT_TRUE(run.across_hosts().empty()) << "one host";
}

TEST(Result, HostsThatAgreeAreNoDifference) {
  RunResult run = repeated({Verdict::pass, Verdict::pass});
  run.scenarios[1].host = "web2";
  EXPECT_TRUE(run.has_several_hosts());
  EXPECT_TRUE(run.across_hosts().empty());
  run.scenarios[1].checks.front().verdict = Verdict::skip;
  EXPECT_EQ(run.across_hosts().size(), 1U);
  run.scenarios[1].error = ScenarioError{"its sandbox was killed", "", ""};
  EXPECT_TRUE(run.across_hosts().empty()) << "not run: told by itself";
}

TEST(Result, OneHostsInterruptionHidesNoOthersDifference) {
  RunResult run;
  for (const char* host : {"a", "b", "c"}) {
    ScenarioResult& scenario = run.scenarios.emplace_back();
    scenario.host = host;
    scenario.checks.emplace_back().verdict = Verdict::skip;
  }
  run.scenarios[0].checks[0].verdict = Verdict::pass;
  run.interrupted = true;
  EXPECT_TRUE(run.across_hosts().empty()) << "all may have been";
  EXPECT_EQ(run.shared_by_hosts(), 0U);
  run.scenarios[2].interrupted = true;
  ASSERT_EQ(run.across_hosts().size(), 1U);
  EXPECT_EQ(run.across_hosts()[0].hosts.at(Verdict::skip), std::vector<std::string>{"b"});
  EXPECT_EQ(run.shared_by_hosts(), 1U);
}

TEST(Result, WhatWasNotRunIsNoDifference) {
  RunResult run = repeated({Verdict::pass, Verdict::skip});
  run.interrupted = true;
  EXPECT_TRUE(run.differing().empty());
  run.interrupted = false;
  run.scenarios.back().error = ScenarioError{"its sandbox was killed", "", ""};
  EXPECT_TRUE(run.differing().empty());
  EXPECT_EQ(run.exit_status(), 5);
}

TEST(RunResult, NothingButSkipsShowsNothing) {
  RunResult run;
  run.scenarios.emplace_back().checks.resize(2);
  run.scenarios.front().checks[0].verdict = Verdict::skip;
  run.scenarios.front().checks[1].verdict = Verdict::skip;
  EXPECT_EQ(run.exit_status(), 4);
  run.scenarios.front().checks[1].verdict = Verdict::pass;
  EXPECT_EQ(run.exit_status(), 0);
}

TEST(RunResult, AFailedSetupIsTheHostsFailure) {
  RunResult run;
  run.scenarios.resize(2);
  run.scenarios[0].error = ScenarioError{"script set-up.sh: exit status 3", "a.yaml", "", ErrorKind::setup};
  run.scenarios[1].error = ScenarioError{"no such sysctl", "b.yaml", "", ErrorKind::environment};
  EXPECT_EQ(run.exit_status(), 1);
}

}  // namespace
}  // namespace plumbline::engine
