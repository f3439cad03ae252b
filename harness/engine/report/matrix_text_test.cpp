#include "harness/engine/report/matrix_text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "harness/engine/report/matrix.hpp"
#include "harness/engine/report/testing/sample_run.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;

/// Compares with fixtures/reports/NAME; PLUMBLINE_UPDATE_GOLDEN=1 writes it instead.
void expect_golden(const std::string& text, const std::string& name) {
  const std::string path = std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures/reports/" + name;
  if (const char* update = std::getenv("PLUMBLINE_UPDATE_GOLDEN");
      update != nullptr && std::string(update) == "1") {
    std::ofstream(path) << text;
    GTEST_SKIP() << "wrote " << path;
  }
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, golden.str()) << "PLUMBLINE_UPDATE_GOLDEN=1 writes " << path << " anew";
}

/// All four signs, two services that came to the same, a promised address, and a scenario without a network.
RunResult sample() {
  RunResult run = samples::sample_run();
  ScenarioResult& first = run.scenarios.front();
  for (const char* with : {"ping", "tcp/80"}) {
    first.matrix.push_back(
        {with,
         "ipv4",
         {"host", "container-one", "container-two", "intranet"},
         {"host", "container-one", "container-two", "intranet", "10.1.2.3"},
         {"-....", ".-.X!", "..-? ", "X?X- "},
         {{"host forward: ip filter FORWARD handle 7: ip daddr 10.0.0.0/8 drop", {{1, 3}, {3, 2}}},
          {"host input: ip filter INPUT policy drop", {{3, 0}}},
          {"timeout; last seen at intranet:eth0 in", {{2, 3}, {3, 1}}}}});
  }
  run.scenarios.insert(run.scenarios.begin() + 1, first);
  run.scenarios[1].setup = "script-nft";
  return run;
}

/// More nodes than a line has columns.
RunResult crowd(int nodes) {
  RunResult run;
  ScenarioResult& scenario = run.scenarios.emplace_back();
  scenario.name = "crowd";
  Matrix& matrix = scenario.matrix.emplace_back();
  matrix.with = "ping";
  matrix.family = "ipv4";
  for (int i = 0; i < nodes; ++i) {
    matrix.from.push_back(fmt::format("container-{}", i));
    std::string& row = matrix.cells.emplace_back(static_cast<std::size_t>(nodes), i % 2 == 0 ? '.' : 'X');
    row[static_cast<std::size_t>(i)] = '-';
  }
  matrix.to = matrix.from;
  return run;
}

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) width = std::max(width, columns(line));
  return width;
}

TEST(MatrixText, At80Columns) {
  expect_golden(matrix_report({.width = 80}, sample()), "matrix-80.txt");
}

TEST(MatrixText, At140ColumnsInColourWithReasons) {
  expect_golden(matrix_report({.colour = true, .verbosity = Verbosity::verbose, .width = 140}, sample()),
                "matrix-140.txt");
}

TEST(MatrixText, NamesFindNoRoomAt60Columns) {
  expect_golden(matrix_report({.width = 60}, sample()), "matrix-60.txt");
}

TEST(MatrixText, ManyNodesGoOnBelow) {
  const std::string text = matrix_report({.width = 80}, crowd(70));
  expect_golden(text, "matrix-crowd.txt");
}

TEST(MatrixText, StaysWithinItsColumns) {
  for (const int nodes : {3, 9, 10, 29, 60, 61, 120, 300}) {
    const std::string text = matrix_report({.width = 80}, crowd(nodes));
    EXPECT_THAT(widest(text), Le(80U)) << nodes << " nodes";
  }
}

TEST(MatrixText, QuietTellsOnlyWhatIsNotAsPromised) {
  const std::string text = matrix_report({.verbosity = Verbosity::quiet}, sample());
  EXPECT_THAT(text, Not(HasSubstr("over IPv4")));
  EXPECT_THAT(text, HasSubstr("! deny container-one -> 10.1.2.3 tcp/80"));
  EXPECT_THAT(text, HasSubstr("4 not as promised"));
}

TEST(MatrixText, QuietPassesOverWhatIsAsPromised) {
  const std::string text = matrix_report({.verbosity = Verbosity::quiet}, crowd(3));
  EXPECT_THAT(text, Not(HasSubstr("crowd")));
  EXPECT_THAT(text, Not(::testing::StartsWith("\n")));
}

TEST(MatrixText, SetupsThatDifferOnlyBelowAreToldOfByName) {
  RunResult run = sample();
  run.scenarios[1].checks.front().journey.clear();
  EXPECT_THAT(matrix_report({}, run), Not(HasSubstr("With setup")));
  for (CheckResult& check : run.scenarios[1].checks) {
    if (check.verdict == Verdict::fail) check.stopped = "host forward: another rule";
  }
  const std::string text = matrix_report({}, run);
  EXPECT_THAT(text, HasSubstr("(setups native, script-nft)"));
  EXPECT_THAT(text, HasSubstr("  With setup native:\n"));
  EXPECT_THAT(text, HasSubstr("  With setup script-nft:\n"));
  EXPECT_THAT(text, HasSubstr("another rule"));
}

TEST(MatrixText, TellsHowManyHadNoCauseLookedFor) {
  RunResult run = crowd(2);
  Matrix& matrix = run.scenarios.front().matrix.front();
  matrix.cells = {"-?", "?-"};
  matrix.reasons = {{std::string("timeout") + std::string(kNotExplained), {{0, 1}, {1, 0}}}};
  EXPECT_THAT(matrix_report({}, run), HasSubstr("2 inconclusive (of 2 why was not looked for)"));
}

TEST(MatrixText, NothingInItSteersATerminal) {
  const std::string text = matrix_report({.verbosity = Verbosity::verbose}, samples::hostile_run());
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\nPASS")));
}

}  // namespace
}  // namespace plumbline::engine
