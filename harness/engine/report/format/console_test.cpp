#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

using ::testing::Each;
using testing::expect_golden;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string console(const RunResult& run, const ConsoleOptions& options) {
  return testing::rendered("console", run, options);
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

TEST(Console, HowManyChecksWereLeftOutIsSaid) {
  EXPECT_THAT(console({}, {.left_out = 59}),
              ::testing::EndsWith("(0 scenarios); 59 checks left out by -k\n"));
}

TEST(Console, ACauseOfSeveralChecksIsToldOnceMoreBeforeTheTotals) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios.front().checks.assign(2, samples::failed());
  run.scenarios.front().checks.back().id += " again";
  const Cause cause = samples::failed().causes.front();
  EXPECT_THAT(
      console(run, {.verbosity = Verbosity::quiet, .width = 400}),
      HasSubstr("2 checks have one cause\n      cause     " + std::string(cause.proven ? "" : "likely ") +
                cause.code + ": " + cause.summary + "\n      fix       "));
  run.scenarios.front().checks.back().causes.front().fix = "another";
  EXPECT_THAT(console(run, {}), HasSubstr("      fix       differs: see each check\n\n2 checks: "));
}

TEST(Console, AListsLinesGoOnBelowTheirText) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios.front().checks = {samples::failed()};
  run.scenarios.front().checks.front().causes.front().evidence = {
      "a line of evidence that is longer than a terminal of eighty columns has room for"};
  EXPECT_THAT(console(run, {.width = 80}),
              HasSubstr("                - a line of evidence that is longer than a terminal of eighty\n"
                        "                  columns has room for\n"));
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

TEST(Console, QuietSaysAReasonOnceThatKeptSeveralChecksFromBeingRun) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  auto& checks = run.scenarios.front().checks;
  checks.assign(3, samples::check("reach", "a", "b", "ping", Verdict::skip));
  for (auto& check : checks) check.observed = "interrupted";
  EXPECT_THAT(console(run, {.verbosity = Verbosity::quiet}),
              HasSubstr("\n  SKIP   3 checks not run\n      reason    interrupted\n\n"));
  const std::string normal = console(run, {});
  EXPECT_THAT(normal, HasSubstr("SKIP  reach a -> b ping"));
  checks.resize(1);
  EXPECT_THAT(console(run, {.verbosity = Verbosity::quiet}), HasSubstr("SKIP  reach a -> b ping"));
}

TEST(Console, AStepThatMissesSomethingIsSkippedAndHasNotFailed) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  ScenarioResult& scenario = run.scenarios.front();
  scenario.error.reset();
  scenario.checks = {samples::check("reach", "a", "b", "ping", Verdict::skip)};
  scenario.checks.front().observed = "no frobnicator here";
  scenario.changes = {{"run frob.sh", "x.yaml:1:1", 0, false, 1.0}};
  EXPECT_THAT(console(run, {}), HasSubstr("run frob.sh: skipped\n"));
  scenario.error = ScenarioError{"no", "x.yaml:1:1", "", ErrorKind::setup};
  EXPECT_THAT(console(run, {}), HasSubstr("run frob.sh: failed\n"));
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

/// What is drawn of `progress`, and then of a scenario that ends.
std::string drawn(const Progress& progress, const ConsoleOptions& options) {
  std::ostringstream out;
  const auto reporter = format("console").make(out, options);
  reporter->progressed(progress);
  reporter->scenario_finished(samples::sample_run().scenarios.front());
  return out.str();
}

TEST(Console, ProgressIsDrawnAndErased) {
  const Progress progress{412, 3748, 2, {"docker-default", "two-uplinks"}};
  const std::string text = drawn(progress, {.progress = true});
  EXPECT_THAT(text, StartsWith("\r\x1b[K412/3748  2 not passed  00:00  docker-default, two-uplinks\r\x1b[K"));
  EXPECT_THAT(text, HasSubstr("\r\x1b[Ktwo-uplinks  scenarios/two-uplinks.yaml"));
  EXPECT_THAT(drawn(progress, {}), Not(HasSubstr("\r")));
}

TEST(Console, ProgressKeepsToItsLine) {
  const Progress progress{0, 5, 0, {"docker-default", "two-uplinks", "cni-bridge", "\x1b[2Jhostile"}};
  EXPECT_THAT(drawn(progress, {.progress = true, .width = 80}), Not(HasSubstr("\x1b[2J")));
  EXPECT_THAT(drawn(progress, {.progress = true, .width = 50}),
              StartsWith("\r\x1b[K0/5  00:00  docker-default and 3 more\r\x1b[K"));
  EXPECT_THAT(drawn(progress, {.progress = true, .width = 20}), StartsWith("\r\x1b[K0/5  00:00\r\x1b[K"));
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

TEST(Console, LostFramesAndMatricesAreTold) {
  EXPECT_THAT(console(samples::everything(), {.verbosity = Verbosity::verbose}),
              ::testing::AllOf(HasSubstr("not told  frames: the capture lost some, so that packets may"),
                               HasSubstr("tcp/80 over IPv4\n"), HasSubstr("X  denied: ")));
  EXPECT_THAT(console(samples::everything(), {.verbosity = Verbosity::quiet}),
              Not(HasSubstr("tcp/80 over IPv4\n")));
}

}  // namespace
}  // namespace plumbline::engine
