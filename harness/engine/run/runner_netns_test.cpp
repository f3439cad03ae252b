#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "harness/engine/report/reporter.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::engine {
namespace {

using testing::Scenario;

/// Counts what it is told, and can interrupt the run at the first check.
class Listener : public Reporter {
 public:
  explicit Listener(bool interrupt = false) : interrupt_(interrupt) {}
  void scenario_started(const ScenarioResult&, std::size_t checks) override { announced = checks; }
  void check_finished(const ScenarioResult&, const CheckResult&) override {
    if (++finished == 1 && interrupt_) ::raise(SIGTERM);
  }
  void scenario_finished(const ScenarioResult&) override { ++scenarios; }
  void run_finished(const RunResult& run) override { summary = run.summary(); }

  std::size_t announced = 0, finished = 0, scenarios = 0;
  Summary summary;

 private:
  bool interrupt_;
};

TEST(Runner, TellsReportersOfEveryCheck) {
  const Scenario scenario;
  Listener listener;
  const RunResult result = run({scenario.load()}, {}, {&listener});
  EXPECT_GT(listener.announced, 25U);
  EXPECT_EQ(listener.finished, listener.announced);
  EXPECT_EQ(listener.scenarios, 1U);
  EXPECT_EQ(listener.summary.passed, listener.announced);
  EXPECT_EQ(result.exit_status(), 0);
}

TEST(Runner, AnInterruptedRunSaysSoAndClaimsNothing) {
  Scenario scenario;
  // The last check waits out its time-out, so that it is still under way when the signal comes.
  scenario.checks("  - reach: {from: host, to: lan-peer}\n  - reach: {from: host, to: 192.168.16.99}");
  Listener listener(true);
  const RunResult result = run({scenario.load()}, {.timeout = std::chrono::milliseconds(60000)}, {&listener});
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.exit_status(), 130);
  ASSERT_EQ(result.scenarios.size(), 1U);
  EXPECT_EQ(result.scenarios[0].checks.back().verdict, Verdict::skip);
  EXPECT_EQ(result.scenarios[0].checks.back().observed, "interrupted");
}

TEST(Runner, OneAtATimeGivesTheSameVerdicts) {
  const Scenario scenario;
  for (const auto& [id, check] : scenario.run({.pattern = "diy/egress", .jobs = 1})) {
    EXPECT_EQ(check.verdict, Verdict::pass) << id << ": " << check.observed;
  }
}

TEST(Runner, WritesTracesOfWhatDidNotPassOrOfAll) {
  Scenario scenario;
  scenario.checks(
      "  - reach: {from: host, to: lan-peer}\n  - deny: {from: container-one, to: host, control: "
      "container-two}");
  RunOptions options;
  options.out_directory = scenario.directory() + "/out";
  const auto failed = scenario.run(options);
  EXPECT_EQ(failed.at("reach host -> lan-peer ping").trace, "");
  const std::string trace = failed.at("deny container-one -> host ping unlike container-two").trace;
  EXPECT_TRUE(std::filesystem::exists(trace)) << trace;
  options.trace = TraceWhich::all;
  EXPECT_TRUE(std::filesystem::exists(scenario.run(options).at("reach host -> lan-peer ping").trace));
  options.trace = TraceWhich::none;
  EXPECT_EQ(scenario.run(options).at("deny container-one -> host ping unlike container-two").trace, "");
}

TEST(Runner, ATraceThatCannotBeWrittenHidesNoVerdict) {
  Scenario scenario;
  scenario.checks("  - reach: {from: host, to: lan-peer}");
  RunOptions options;
  options.out_directory = "/proc/nowhere";
  options.trace = TraceWhich::all;
  const RunResult result = run({scenario.load()}, options, {});
  ASSERT_TRUE(result.scenarios.at(0).error);
  EXPECT_THAT(result.scenarios[0].error->message, ::testing::HasSubstr("/proc/nowhere"));
  EXPECT_EQ(result.scenarios[0].checks.at(0).verdict, Verdict::pass);
}

TEST(Runner, LeavesNoNameBehindInTheNetnsFolder) {
  (void)Scenario().run({.pattern = "diy/reach host"});
  EXPECT_TRUE(std::filesystem::is_empty("/run/netns"));
}

TEST(Runner, SelectsByPatternAndItsNegation) {
  const spec::Spec spec = Scenario().load();
  const auto count = [&](const std::string& pattern) {
    return list_checks({spec}, {.pattern = pattern}).size();
  };
  const std::size_t all = count("");
  const std::size_t denies = count("DIY/deny");
  EXPECT_GT(denies, 0U);
  EXPECT_EQ(denies + count("!diy/deny"), all);
  EXPECT_EQ(count("no such check"), 0U);
}

TEST(Runner, RefusesTheSamePromiseTwiceBeforeAnythingIsBuilt) {
  Scenario scenario;
  scenario.checks("  - reach: {from: host, to: lan-peer}\n  - reach: {from: host, to: [lan-peer]}");
  EXPECT_THROW(run({scenario.load()}, {}, {}), spec::SpecError);
}

}  // namespace
}  // namespace plumbline::engine
