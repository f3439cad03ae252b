#include "harness/engine/comparison/baseline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/comparison/merge.hpp"
#include "harness/engine/comparison/testing.hpp"

namespace plumbline::engine {
namespace {

using testing::check_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::rule;
using testing::run_of;
using testing::step;

TEST(Baseline, TheSameRunIsNoChange) {
  const Baseline baseline = compare(run_of(), run_of(), "old.json");
  EXPECT_EQ(baseline.name, "old.json");
  EXPECT_EQ(baseline.started, "2026-02-28T12:00:00Z");
  EXPECT_EQ(baseline.compared, 1U);
  EXPECT_EQ(baseline.incomplete, 0U);
  EXPECT_THAT(baseline.changes, IsEmpty());
}

TEST(Baseline, NamesThatEnginesMakeUpAreNoChange) {
  EXPECT_THAT(compare(run_of("vetha1", "br-8305a55d5a12"), run_of("vethb2", "br-ec5d9cd75803"), "").changes,
              IsEmpty());
}

TEST(Baseline, AReportThatDoesNotTellItsNetworkIsReadWithTheOthers) {
  RunResult earlier = run_of();
  earlier.scenarios.front().network.clear();
  EXPECT_THAT(compare(earlier, run_of(), "").changes, IsEmpty());
}

TEST(Baseline, AVerdictARuleAndAHopAreTold) {
  RunResult now = run_of();
  check_of(now).verdict = Verdict::fail;
  check_of(now).kernel.insert(check_of(now).kernel.begin(), rule("FORWARD", "counter drop", "drop"));
  check_of(now).journey.back().interface = "ens5";
  EXPECT_THAT(
      compare(run_of(), now, "").changes,
      ElementsAre(BaselineChange{"ci-1",
                                 "engine",
                                 "docker",
                                 "reach web -> internet",
                                 Verdict::pass,
                                 Verdict::fail,
                                 {"host forward ip filter FORWARD: counter drop → drop", "host:ens5 out"},
                                 {"host:ens4 out"}}));
}

TEST(Baseline, ChecksThatOnlyOneRunHasAreNewOrGone) {
  RunResult now = run_of();
  check_of(now).id = "reach web -> host";
  const Baseline baseline = compare(run_of(), now, "");
  EXPECT_EQ(baseline.compared, 0U);
  EXPECT_THAT(
      baseline.changes,
      ElementsAre(
          BaselineChange{
              "ci-1", "engine", "docker", "reach web -> host", std::nullopt, Verdict::pass, {}, {}},
          BaselineChange{
              "ci-1", "engine", "docker", "reach web -> internet", Verdict::pass, std::nullopt, {}, {}}));
}

TEST(Baseline, WhatAnInterruptedRunDidNotComeToIsNeitherGoneNorNew) {
  RunResult interrupted = run_of();
  interrupted.interrupted = true;
  check_of(interrupted).verdict = Verdict::skip;
  RunResult now = run_of();
  now.scenarios.push_back(now.scenarios.front());
  now.scenarios[1].name = "other";
  for (const Baseline& baseline : {compare(now, interrupted, ""), compare(interrupted, now, "")}) {
    EXPECT_THAT(baseline.changes, IsEmpty());
    EXPECT_EQ(baseline.compared, 0U);
  }
}

TEST(Baseline, WhatWasSkippedHasNoWayThatCouldBeLost) {
  RunResult now = run_of();
  check_of(now).verdict = Verdict::skip;
  check_of(now).journey.clear();
  check_of(now).kernel.clear();
  const Baseline baseline = compare(run_of(), now, "");
  ASSERT_EQ(baseline.changes.size(), 1U);
  EXPECT_THAT(baseline.changes[0].lost, IsEmpty());
}

/// --no-trace-rules: of rules nothing is known.
TEST(Baseline, RulesThatARunCouldNotTellAreNotGone) {
  RunResult now = run_of();
  check_of(now).kernel.clear();
  for (const Baseline& baseline : {compare(run_of(), now, ""), compare(now, run_of(), "")}) {
    EXPECT_THAT(baseline.changes, IsEmpty());
    EXPECT_EQ(baseline.incomplete, 1U);
  }
  check_of(now).kernel = {rule("FORWARD", "x", "accept")};
  check_of(now).incomplete = {"rules of host: there was no room for all reports"};
  const Baseline baseline = compare(run_of(), now, "");
  ASSERT_EQ(baseline.changes.size(), 1U);
  EXPECT_THAT(baseline.changes[0].gained, ElementsAre("host forward ip filter FORWARD: x → accept"));
  EXPECT_THAT(baseline.changes[0].lost, IsEmpty()) << "it may have been met";
  EXPECT_EQ(baseline.incomplete, 1U);
}

TEST(Baseline, AHookWithoutRulesTellsThatTheyAreGone) {
  RunResult now = run_of();
  KernelEvent& event = check_of(now).kernel.front();
  event.table = event.chain = event.rule = "";
  const Baseline baseline = compare(run_of(), now, "");
  ASSERT_EQ(baseline.changes.size(), 1U);
  EXPECT_EQ(baseline.changes[0].lost.size(), 1U);
  EXPECT_EQ(baseline.incomplete, 0U);
}

TEST(Baseline, HostsAreComparedWithThemselves) {
  RunResult earlier = run_of();
  earlier.scenarios.push_back(run_of().scenarios.front());
  earlier.scenarios[1].host = "ci-2";
  RunResult now = earlier;
  now.scenarios[1].checks[0].verdict = Verdict::fail;
  const Baseline baseline = compare(earlier, now, "");
  ASSERT_EQ(baseline.changes.size(), 1U);
  EXPECT_EQ(baseline.changes[0].host, "ci-2");
  now.scenarios[1].host = "ci-3";
  EXPECT_EQ(compare(earlier, now, "").changes.size(), 2U) << "one is new, one is gone";
}

/// A CI service's containers have a new name in each run, one for each shard.
TEST(Baseline, WhereNoHostIsInBothNamesMeanNothing) {
  RunResult now = run_of();
  now.scenarios[0].host = "runner-77";
  EXPECT_THAT(compare(run_of(), now, "").changes, IsEmpty());
  check_of(now).verdict = Verdict::fail;
  const Baseline baseline = compare(run_of(), now, "");
  ASSERT_EQ(baseline.changes.size(), 1U);
  EXPECT_EQ(baseline.changes[0].host, "runner-77");
}

TEST(Baseline, OfRepetitionsTheGravestCountsAndTheWayOfAny) {
  RunResult now = run_of();
  now.repetitions = 2;
  now.scenarios.push_back(now.scenarios.front());
  now.scenarios[1].checks[0].verdict = Verdict::inconclusive;
  now.scenarios[1].checks[0].journey.pop_back();
  const Baseline baseline = compare(run_of(), now, "");
  ASSERT_EQ(baseline.changes.size(), 1U);
  EXPECT_EQ(baseline.changes[0].is, Verdict::inconclusive);
  EXPECT_THAT(baseline.changes[0].lost, IsEmpty());
}

/// Two hosts, the first of which has one check more than the other.
RunResult of_two_hosts(bool second_was_interrupted) {
  RunResult second = run_of();
  second.scenarios.front().host = "ci-2";
  second.interrupted = second_was_interrupted;
  if (second_was_interrupted) check_of(second).verdict = Verdict::skip;
  RunResult first = run_of();
  first.scenarios.push_back(first.scenarios.front());
  first.scenarios[1].name = "other";
  return merged({first, second});
}

TEST(Baseline, OneRunsInterruptionIsNotAnothers) {
  RunResult now = of_two_hosts(true);
  now.scenarios[0].checks[0].verdict = Verdict::skip;
  now.scenarios.erase(now.scenarios.begin() + 1);
  const Baseline baseline = compare(of_two_hosts(false), now, "");
  EXPECT_EQ(baseline.compared, 1U);
  ASSERT_EQ(baseline.changes.size(), 2U) << "one was skipped, one is gone: both of the host that had time";
  EXPECT_EQ(baseline.changes[0].host, "ci-1");
  EXPECT_EQ(baseline.changes[0].is, Verdict::skip);
  EXPECT_EQ(baseline.changes[1].scenario, "other");
  EXPECT_EQ(baseline.changes[1].is, std::nullopt);
}

TEST(Baseline, HopsThatALossyCaptureMayHaveMissedAreNotGone) {
  RunResult lossy = run_of();
  check_of(lossy).frames_lost = true;
  check_of(lossy).journey.pop_back();
  check_of(lossy).kernel.front().rule = "other words";
  const Baseline now = compare(run_of(), lossy, "");
  EXPECT_EQ(now.incomplete, 1U);
  ASSERT_EQ(now.changes.size(), 1U);
  EXPECT_THAT(now.changes[0].lost, IsEmpty());
  EXPECT_EQ(now.changes[0].gained.size(), 1U) << "what it saw was there";
  const Baseline before = compare(lossy, run_of(), "");
  EXPECT_EQ(before.incomplete, 1U);
  ASSERT_EQ(before.changes.size(), 1U);
  EXPECT_THAT(before.changes[0].gained, IsEmpty());
}

}  // namespace
}  // namespace plumbline::engine
