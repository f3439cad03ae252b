#include "harness/engine/mutation/mutate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/mutation/report.hpp"

namespace plumbline::engine::mutation {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Mutant mutant(const std::string& line) {
  Mutant mutant;
  mutant.id = "delete host " + line;
  mutant.node = "host";
  mutant.line = line;
  mutant.commands = {"ip route del x"};
  return mutant;
}

ScenarioResult run_with(std::vector<Verdict> verdicts) {
  ScenarioResult run;
  run.changes.emplace_back().made = true;
  for (const Verdict verdict : verdicts) {
    CheckResult& check = run.checks.emplace_back();
    check.id = "reach " + std::to_string(run.checks.size());
    check.verdict = verdict;
    check.observed = "seen";
  }
  return run;
}

ScenarioResult refused(const std::string& output) {
  ScenarioResult run;
  run.changes.emplace_back();
  run.error = ScenarioError{"run # delete host x: the shell text failed, exit status 1:\n  " + output, "", "",
                            ErrorKind::setup};
  return run;
}

TEST(Judge, NoticedByAnyThatPassesNoLonger) {
  const MutantResult result =
      judge(mutant("x"), run_with({Verdict::pass, Verdict::inconclusive, Verdict::fail}));
  EXPECT_EQ(result.fate, Fate::noticed);
  EXPECT_EQ(result.noticing, 2U);
  EXPECT_EQ(result.says, "reach 2");
}

TEST(Judge, NoticedByAChangeThatCanNoLongerBeMade) {
  ScenarioResult run = run_with({Verdict::pass, Verdict::skip});
  run.changes.emplace_back().about = "run ip rule del";
  run.error = ScenarioError{"no such rule", "", "", ErrorKind::setup};
  EXPECT_EQ(judge(mutant("x"), run).fate, Fate::noticed);
  EXPECT_EQ(judge(mutant("x"), run).says, "run ip rule del");
}

TEST(Judge, SurvivedOnlyIfAllPass) {
  EXPECT_EQ(judge(mutant("x"), run_with({Verdict::pass, Verdict::pass})).fate, Fate::survived);
  EXPECT_EQ(judge(mutant("x"), run_with({Verdict::pass, Verdict::error})).fate, Fate::broken);
  EXPECT_EQ(judge(mutant("x"), run_with({Verdict::pass, Verdict::skip})).fate, Fate::broken);
  ScenarioResult broken = run_with({Verdict::pass});
  broken.error = ScenarioError{"it fell over", "", "", ErrorKind::internal};
  EXPECT_EQ(judge(mutant("x"), broken).fate, Fate::broken);
  EXPECT_EQ(judge(mutant("x"), broken).says, "it fell over");
}

TEST(Judge, WhatCouldNotBeMadeIsNeverNoticed) {
  MutantResult result = judge(mutant("x"), refused(std::string("RTNETLINK answers: no\n  ") + kRefused));
  EXPECT_EQ(result.fate, Fate::refused);
  EXPECT_EQ(result.says, "RTNETLINK answers: no");
  result = judge(mutant("x"), refused(kNotAsRead));
  EXPECT_EQ(result.fate, Fate::not_made);
  EXPECT_EQ(result.says, kNotAsRead);
  EXPECT_EQ(judge(mutant("x"), refused("bridge0 does not come up")).fate, Fate::broken);
  EXPECT_EQ(judge(mutant("x"), {}).fate, Fate::broken) << "its sandbox died";
}

TEST(Excuse, DeclaredOnesThatSurvivedAreEquivalentAndOthersStale) {
  spec::Spec spec;
  spec.equivalent = {
      {"delete * b", "b is idle", {}}, {"a", "by its line", {}}, {"delete host c", "stale", {}}};
  MutationResult result;
  for (const char* line : {"a", "b", "c", "d"})
    result.mutants.push_back({mutant(line), Fate::survived, 0, ""});
  result.mutants[2].fate = Fate::noticed;
  std::vector<bool> used;
  excuse(spec, result, used);
  EXPECT_EQ(used, (std::vector<bool>{true, true, false}));
  EXPECT_EQ(result.mutants[0].says, "by its line");
  EXPECT_EQ(result.count(Fate::equivalent), 2U);
  EXPECT_EQ(result.count(Fate::survived), 1U);
  EXPECT_EQ(result.count(Fate::noticed), 1U);
}

MutationRun sample() {
  MutationRun run;
  MutationResult& result = run.scenarios.emplace_back();
  result.scenario = "lan";
  result.setup = "native";
  result.checks = 3;
  result.duration_ms = 1500;
  result.mutants = {{mutant("a"), Fate::noticed, 2, "reach 1"},
                    {mutant("b"), Fate::survived, 0, ""},
                    {mutant("c"), Fate::equivalent, 0, "for nobody"},
                    {mutant("d"), Fate::refused, 0, "no\x1b[31m such device"}};
  result.mutants[1].mutant.becomes = "b, but wider";
  run.stale = {{"delete z", "gone", "lan.yaml:9:5"}};
  return run;
}

TEST(MutationRun, SucceedsOnlyIfNothingSurvivesUndeclared) {
  MutationRun run = sample();
  EXPECT_EQ(run.exit_status(), 1);
  run.scenarios[0].mutants.erase(run.scenarios[0].mutants.begin() + 1);
  EXPECT_EQ(run.exit_status(), 1) << "a declaration is stale";
  run.stale.clear();
  EXPECT_EQ(run.exit_status(), 0);
  run.scenarios[0].problem = "its checks do not pass";
  EXPECT_EQ(run.exit_status(), 1);
  run.scenarios[0].skipped = true;
  EXPECT_EQ(run.exit_status(), 0);
  run.interrupted = true;
  EXPECT_EQ(run.exit_status(), 130);
}

TEST(MutationReport, Console) {
  const MutationRun run = sample();
  EXPECT_EQ(console_scenario({}, run.scenarios[0]),
            "lan (native)  3 checks, 4 mutants in 1.50 s\n"
            "  survived    delete host b\n"
            "      becomes    b, but wider\n"
            "  equivalent  delete host c\n"
            "      because    for nobody\n"
            "  refused     delete host d\n"
            "      said       no\\x1b[31m such device\n");
  ConsoleOptions options;
  options.verbosity = Verbosity::verbose;
  EXPECT_THAT(console_scenario(options, run.scenarios[0]),
              HasSubstr("  noticed     delete host a\n      by         reach 1 and 1 more\n      $          "
                        "ip route del x\n"));
  options.verbosity = Verbosity::quiet;
  EXPECT_THAT(console_scenario(options, run.scenarios[0]), Not(HasSubstr("equivalent")));
  const std::string totals = console_totals({}, run);
  EXPECT_THAT(totals, HasSubstr("lan.yaml:9:5: no mutant survives that this is about: delete z\n"));
  EXPECT_THAT(totals, HasSubstr("lan (native)           4           1           1           1           1"));
}

TEST(MutationReport, Json) {
  const std::string json = to_json(sample());
  EXPECT_THAT(json, HasSubstr(R"("survived": 1)"));
  EXPECT_THAT(json, HasSubstr(R"("not_made": 0)"));
  EXPECT_THAT(json, HasSubstr(R"("becomes": "b, but wider")"));
  EXPECT_THAT(json, HasSubstr(R"("where": "lan.yaml:9:5")"));
}

}  // namespace
}  // namespace plumbline::engine::mutation
