#include "harness/engine/run/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

/// The lines that a reporter wrote of `run`.
std::vector<std::string> lines_of(const RunResult& run) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const auto reporter = stream_reporter(write_end.get());
  const ScenarioResult& scenario = run.scenarios.front();
  reporter->scenario_started(scenario, scenario.checks.size());
  reporter->check_finished(scenario, scenario.checks[1]);
  reporter->check_finished(scenario, scenario.checks[0]);
  reporter->scenario_finished(scenario);
  reporter->run_finished(run);
  write_end.reset();
  std::string text;
  std::array<char, 4096> chunk{};
  for (ssize_t got = 0; (got = ::read(read_end.get(), chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Stream, TellsOfEachCheckAndThenOfTheWhole) {
  RunResult run = samples::everything();
  run.scenarios.resize(1);
  const auto lines = lines_of(run);
  ASSERT_EQ(lines.size(), 3U);
  const auto check = std::get<CheckEnded>(read_event(lines[0]));
  EXPECT_EQ(check.index, 1U);
  EXPECT_EQ(check.verdict, run.scenarios[0].checks[1].verdict);
  EXPECT_EQ(check.observed, run.scenarios[0].checks[1].observed);
  EXPECT_EQ(check.duration_ms, run.scenarios[0].checks[1].duration_ms);
  EXPECT_EQ(std::get<CheckEnded>(read_event(lines[1])).index, 0U);
  const auto whole = std::get<ScenarioEnded>(read_event(lines[2]));
  EXPECT_EQ(whole.result, run.scenarios[0]);
  EXPECT_TRUE(whole.interrupted);
}

TEST(Stream, HostileTextStaysInItsLine) {
  RunResult run = samples::hostile_run();
  run.scenarios.front().checks.push_back(samples::passed());
  EXPECT_EQ(lines_of(run).size(), 3U);
}

TEST(Stream, GarbageIsAnErrorAndNothingWorse) {
  for (const char* line :
       {"", "garbage", "{}", "[]", "null", R"({"check":-1})", R"({"scenario":{}})",
        R"({"check":1,"verdict":"fine","observed":"","duration_ms":0})",
        R"({"check":1,"verdict":"pass","observed":7,"duration_ms":0})", "{\"check\":1,\"ver"}) {
    EXPECT_THROW(read_event(line), Error) << line;
  }
}

TEST(Stream, NobodyToReadItIsNoErrorOfTheScenario) {
  const auto reporter = stream_reporter(-1);
  reporter->run_finished(samples::sample_run());
}

}  // namespace
}  // namespace plumbline::engine
