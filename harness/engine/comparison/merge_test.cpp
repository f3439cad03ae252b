#include "harness/engine/comparison/merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/comparison/testing.hpp"

namespace plumbline::engine {
namespace {

using testing::check_of;
using testing::run_of;

RunResult on_host(const std::string& host, const std::string& started, double duration_ms = 1000) {
  RunResult run = run_of();
  run.scenarios.front().host = host;
  run.started = started;
  run.duration_ms = duration_ms;
  return run;
}

TEST(Merge, OneRunStaysAsItIs) {
  RunResult run = run_of();
  run.baseline.emplace().name = "old.json";
  EXPECT_EQ(merged({run}), run);
  EXPECT_EQ(merged({}), RunResult{});
}

TEST(Merge, ScenariosStandInTheOrderOfTheFilesAndTimeGoesFromTheFirstToTheLast) {
  const RunResult run =
      merged({on_host("b", "2026-02-28T23:59:58Z"), on_host("a", "2026-02-28T23:59:50Z", 500),
              on_host("c", "2026-03-01T00:00:10Z", 2500)});
  EXPECT_EQ(run.scenarios[0].host + run.scenarios[1].host + run.scenarios[2].host, "bac");
  EXPECT_EQ(run.started, "2026-02-28T23:59:50Z");
  EXPECT_DOUBLE_EQ(run.duration_ms, 22'500);
  EXPECT_EQ(run.repetitions, 1U);
  EXPECT_FALSE(run.interrupted);
  EXPECT_TRUE(run.has_several_hosts());
}

TEST(Merge, WhereOneDoesNotTellItsBeginningDurationsAddUp) {
  for (const char* untold : {"", "yesterday", "2026-13-40T00:00:00Z", "2026-02-28T12:00:00"}) {
    EXPECT_DOUBLE_EQ(merged({on_host("a", "2026-02-28T12:00:00Z"), on_host("b", untold)}).duration_ms, 2000)
        << untold;
  }
}

TEST(Merge, OneThatWasInterruptedIsEnough) {
  RunResult interrupted = on_host("b", "");
  interrupted.interrupted = true;
  EXPECT_EQ(merged({on_host("a", ""), interrupted}).exit_status(), 130);
}

TEST(Merge, WhatAHostRanAgainIsARepetition) {
  RunResult again = run_of();
  check_of(again).verdict = Verdict::fail;
  const RunResult run = merged({run_of(), again, on_host("other", "")});
  EXPECT_EQ(run.scenarios[0].repetition, 1U);
  EXPECT_EQ(run.scenarios[1].repetition, 2U);
  EXPECT_EQ(run.scenarios[2].repetition, 0U);
  EXPECT_EQ(run.repetitions, 2U);
  ASSERT_EQ(run.differing().size(), 1U);
  EXPECT_EQ(run.differing()[0].host, "ci-1");
}

TEST(Merge, RepeatedRunsGoOnCounting) {
  RunResult twice = run_of();
  twice.repetitions = 2;
  twice.scenarios.push_back(twice.scenarios.front());
  twice.scenarios[0].repetition = 1;
  twice.scenarios[1].repetition = 2;
  const RunResult run = merged({twice, twice});
  EXPECT_EQ(run.scenarios[2].repetition, 3U);
  EXPECT_EQ(run.scenarios[3].repetition, 4U);
  EXPECT_EQ(run.repetitions, 4U);
}

/// Shards may each run some of a scenario's checks (-k).
TEST(Merge, PartsOfAScenarioAreNoRepetitions) {
  RunResult part = run_of();
  check_of(part).id = "reach web -> host";
  const RunResult run = merged({run_of(), part});
  EXPECT_EQ(run.scenarios.size(), 2U);
  EXPECT_EQ(run.scenarios[1].repetition, 0U);
  EXPECT_EQ(run.repetitions, 1U);
}

TEST(Merge, OnlyScenariosOfTheRunThatWasInterruptedSaySo) {
  RunResult interrupted = on_host("b", "");
  interrupted.interrupted = true;
  const RunResult run = merged({on_host("a", ""), interrupted});
  EXPECT_FALSE(run.scenarios[0].interrupted);
  EXPECT_TRUE(run.scenarios[1].interrupted);
  const RunResult again = merged({run, on_host("c", "")});
  EXPECT_FALSE(again.was_interrupted(again.scenarios[0]));
  EXPECT_TRUE(again.was_interrupted(again.scenarios[1]));
  interrupted.scenarios.clear();
  const RunResult anybodys = merged({on_host("a", ""), interrupted});
  EXPECT_TRUE(anybodys.was_interrupted(anybodys.scenarios[0])) << "nobody knows whose it was";
}

RunResult of_file(const std::string& file) {
  RunResult run = run_of();
  run.scenarios.front().file = file;
  return run;
}

TEST(Merge, TwoSpecsOfOneNameAreRefused) {
  RunResult other_host = of_file("others/a.yaml");
  other_host.scenarios.front().host = "ci-2";
  EXPECT_EQ(merged({of_file("specs/a.yaml"), other_host}).scenarios.size(), 2U);
  try {
    merged({of_file("specs/a.yaml"), of_file("others/a.yaml")}, {"one.json", "two.json"});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(),
                 "two specs of ci-1 have the name 'engine': specs/a.yaml in one.json, and others/a.yaml in "
                 "two.json");
  }
}

TEST(Merge, OneFileMayBeSeenFromAnotherFolder) {
  for (const char* file : {"./specs/a.yaml", "/srv/specs/a.yaml", "../specs/a.yaml", "a.yaml"})
    EXPECT_EQ(merged({of_file("specs/a.yaml"), of_file(file)}).repetitions, 2U) << file;
}

}  // namespace
}  // namespace plumbline::engine
