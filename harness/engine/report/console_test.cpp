#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/report/testing/sample_run.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

std::string console(const RunResult& run, const ConsoleOptions& options) {
  std::ostringstream out;
  const auto reporter = console_reporter(out, options);
  for (const ScenarioResult& scenario : run.scenarios) {
    reporter->scenario_started(scenario, scenario.checks.size());
    // Checks end in any order: the report does not depend on it.
    for (auto check = scenario.checks.rbegin(); check != scenario.checks.rend(); ++check) {
      reporter->check_finished(scenario, *check);
    }
    reporter->scenario_finished(scenario);
  }
  reporter->run_finished(run);
  return out.str();
}

/// Compares with fixtures/reports/NAME; PLUMBLINE_UPDATE_GOLDEN=1 writes it instead, to be read before it is
/// kept.
void expect_golden(const std::string& text, const std::string& name) {
  const std::string path = std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures/reports/" + name;
  if (const char* update = std::getenv("PLUMBLINE_UPDATE_GOLDEN");
      update != nullptr && std::string(update) == "1") {
    std::ofstream(path) << text;
    GTEST_SKIP() << "wrote " << path;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " cannot be read";
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << "PLUMBLINE_UPDATE_GOLDEN=1 writes " << path << " anew";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Console, PipedAt80Columns) {
  expect_golden(console(samples::sample_run(), {.width = 80}), "console-80.txt");
}

TEST(Console, PipedAt140Columns) {
  expect_golden(console(samples::sample_run(), {.width = 140}), "console-140.txt");
}

TEST(Console, OnATerminal) {
  expect_golden(console(samples::sample_run(), {.colour = true, .unicode = true, .width = 100}),
                "console-colour.txt");
}

TEST(Console, Verbose) {
  expect_golden(console(samples::sample_run(), {.verbosity = Verbosity::verbose, .width = 100}),
                "console-verbose.txt");
}

TEST(Console, Quiet) {
  expect_golden(console(samples::sample_run(), {.verbosity = Verbosity::quiet, .width = 100}),
                "console-quiet.txt");
}

RunResult stopped_run() {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios.front().checks = {samples::stopped()};
  return run;
}

TEST(Console, AStoppedProbe) {
  expect_golden(console(stopped_run(), {.width = 100}), "console-stopped.txt");
}

TEST(Console, AStoppedProbeOnATerminalOf80Columns) {
  expect_golden(console(stopped_run(), {.colour = true, .unicode = true, .width = 80}),
                "console-stopped-colour.txt");
}

TEST(Console, ALongJourneyShowsItsBeginningAndItsEnd) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios.front().checks = {samples::failed()};
  auto& journey = run.scenarios.front().checks.front().journey;
  journey.clear();
  for (int i = 0; i < 60; ++i)
    journey.push_back({i, "host", "ens4", "out", "packet " + std::to_string(i) + "."});
  const std::string text = console(run, {});
  EXPECT_THAT(text, HasSubstr("packet 19."));
  EXPECT_THAT(text, Not(HasSubstr("packet 20.")));
  EXPECT_THAT(text, HasSubstr("32 packets more, shown with -v and in the trace"));
  EXPECT_THAT(text, Not(HasSubstr("packet 51.")));
  EXPECT_THAT(text, HasSubstr("packet 52."));
  EXPECT_THAT(text, HasSubstr("packet 59."));
  EXPECT_THAT(console(run, {.verbosity = Verbosity::verbose}), HasSubstr("packet 30."));
}

TEST(Console, QuietSaysOnlyTheTotalsWhenAllPassed) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios.front().checks = {samples::passed()};
  run.duration_ms = 213;
  EXPECT_EQ(console(run, {.verbosity = Verbosity::quiet}),
            "1 check: 1 passed, 0 failed, 0 inconclusive, 0 skipped, 0 errors in 0.21 s (1 scenario)\n");
}

TEST(Console, AScenarioThatCouldNotBeBuiltSaysItsErrorOnceAndHowManyChecksItCost) {
  RunResult run = samples::sample_run();
  run.scenarios.erase(run.scenarios.begin());
  run.scenarios.front().checks.assign(3, samples::check("reach", "a", "b", "ping", Verdict::skip));
  run.scenarios.front().checks[2] = samples::failed();
  for (const Verbosity verbosity : {Verbosity::normal, Verbosity::quiet, Verbosity::verbose}) {
    const std::string text = console(run, {.verbosity = verbosity});
    EXPECT_THAT(text,
                HasSubstr("      remedy    correct the ruleset under `nft:`\n  SKIP   2 checks not run\n"));
    EXPECT_THAT(text, Not(HasSubstr("reach a -> b"))) << "one line for all";
    EXPECT_THAT(text, HasSubstr("FAIL  deny container-one")) << "what was run is still told";
  }
  run.scenarios.front().checks.resize(1);
  EXPECT_THAT(console(run, {}), HasSubstr("  SKIP   1 check not run\n"));
  run.scenarios.front().checks.clear();
  EXPECT_THAT(console(run, {}), Not(HasSubstr("not run")));
}

TEST(Console, PipedTextIsPlain) {
  const std::string text = console(samples::sample_run(), {});
  for (const char c : text) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
}

TEST(Console, OnlyPathsCommandsAndTotalsAreWiderThanAskedFor) {
  for (const std::string& line : lines_of(console(samples::sample_run(), {.width = 80}))) {
    const bool kept_whole = line.find("nft ") != std::string::npos ||
                            line.find("trace ") != std::string::npos ||
                            line.find(" checks: ") != std::string::npos;
    EXPECT_TRUE(kept_whole || columns(line) <= 80) << line;
  }
}

TEST(Console, AbsurdWidthsStillReport) {
  for (const std::size_t width : {0U, 1U, 10U, 1000000U}) {
    EXPECT_THAT(console(samples::sample_run(), {.width = width}), HasSubstr("deny-rule-missing")) << width;
  }
}

TEST(Console, HostileTextNeitherSteersTheTerminalNorForgesALine) {
  const std::string text = console(samples::hostile_run(), {.verbosity = Verbosity::verbose, .width = 400});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
  EXPECT_THAT(text, Not(HasSubstr("\xff")));
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(lines_of(text), Each(Not(::testing::MatchesRegex(" ? ?PASS .*"))));
}

TEST(Console, InterruptionIsSaid) {
  RunResult run = samples::sample_run();
  run.interrupted = true;
  EXPECT_THAT(console(run, {}), HasSubstr("interrupted"));
  EXPECT_THAT(console(samples::sample_run(), {}), Not(HasSubstr("interrupted")));
}

TEST(Console, ProgressIsDrawnAndErased) {
  const std::string text = console(samples::sample_run(), {.progress = true});
  EXPECT_THAT(text, HasSubstr("\r\x1b[K0/5  two-uplinks"));
  EXPECT_THAT(text, HasSubstr("\r\x1b[Ktwo-uplinks  scenarios/two-uplinks.yaml"));
  EXPECT_THAT(console(samples::sample_run(), {}), Not(HasSubstr("\r")));
}

TEST(Console, RepetitionsAreCountedAndTheirDifferencesTold) {
  RunResult run = samples::everything();
  run.interrupted = false;
  expect_golden(console(run, {.verbosity = Verbosity::quiet, .width = 100}), "console-repeated.txt");
  run.scenarios.erase(run.scenarios.begin() + 2, run.scenarios.end());
  EXPECT_THAT(console(run, {}), HasSubstr("\n2 repetitions: no verdict differed\n"));
  EXPECT_THAT(console(samples::sample_run(), {}), Not(HasSubstr("repetition")));
}

TEST(Console, WhichRepetitionIsToldWhereItIsTheException) {
  RunResult run;
  run.repetitions = 10;
  for (std::size_t i = 1; i <= run.repetitions; ++i) {
    ScenarioResult& scenario = run.scenarios.emplace_back();
    scenario.name = "diy";
    scenario.setup = "native";
    scenario.repetition = i;
    scenario.checks = {samples::passed()};
    if (i == 4 || i == 7) scenario.checks.front().verdict = Verdict::inconclusive;
  }
  EXPECT_THAT(console(run, {.verbosity = Verbosity::quiet}),
              HasSubstr("10 repetitions: the verdict of 1 check differed\n"
                        "  diy (native): reach host -> container-one ping\n"
                        "      pass 8 times, inconclusive in repetition 4, 7\n"));
}

TEST(ConsoleStyle, DurationsHaveUnits) {
  const ConsoleOptions plain;
  EXPECT_EQ(console::duration(plain, 0), "0 us");
  EXPECT_EQ(console::duration(plain, -0.003), "-3 us");
  EXPECT_EQ(console::duration(plain, 0.412), "412 us");
  EXPECT_EQ(console::duration(plain, 0.9999), "1.00 ms");
  EXPECT_EQ(console::duration(plain, 9.999), "10.0 ms");
  EXPECT_EQ(console::duration(plain, 999.99), "1.00 s");
  EXPECT_EQ(console::duration(plain, 61000), "61.00 s");
  EXPECT_EQ(console::duration({.unicode = true}, 0.412), "412 µs");
}

}  // namespace
}  // namespace plumbline::engine
