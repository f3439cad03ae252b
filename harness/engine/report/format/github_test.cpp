#include <gmock/gmock.h>

#include <sstream>

#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::rendered;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Where nobody else speaks.
std::string in_a_file(const RunResult& run) {
  return rendered("github", run, {.folder = "."});
}

TEST(Github, NoCommandIsTakenUntilItSpeaksItself) {
  std::ostringstream out;
  const auto reporter = format("github").make(out, {});
  EXPECT_THAT(out.str(), MatchesRegex("::stop-commands::plumbline-[0-9a-f]+\n"));
  const std::string token = out.str().substr(std::string("::stop-commands::").size(), 34);
  out.str("");
  RunResult run;
  run.interrupted = true;
  reporter->run_finished(run);
  EXPECT_THAT(out.str(), StartsWith("::" + token + "::\n::error title=interrupted::"));
}

TEST(Github, MarksEachBrokenPromiseAtItsLine) {
  const std::vector<std::string> lines = lines_of(in_a_file(samples::sample_run()));
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[0],
              StartsWith("::error title=FAIL  deny container-one -> 10.1.2.3 tcp/80 (two-uplinks%2C "
                         "native),file=scenarios/two-uplinks.yaml,line=12,col=5::expected: "));
  EXPECT_THAT(lines[0], HasSubstr("%0Acause: deny-rule-missing: "));
  EXPECT_THAT(lines[1], StartsWith("::warning title=INCONCLUSIVE  "));
  EXPECT_THAT(lines[2], StartsWith("::error title=ERROR  "));
  EXPECT_THAT(lines[3], AllOf(StartsWith("::error title=broken could not be run,file=scenarios/broken.yaml,"
                                         "line=7,col=3::"),
                              HasSubstr("syntax error")));
}

TEST(Github, AScenarioThatCouldNotBeRunIsMarkedWhereItSays) {
  RunResult run;
  ScenarioResult& scenario = run.scenarios.emplace_back();
  scenario.name = "erry";
  scenario.file = "err.yaml";
  scenario.error = ScenarioError{"err.yaml:5:3: starting fail.sh: it is no program", "err.yaml:5:3",
                                 "begin it with #!/bin/sh", ErrorKind::setup};
  EXPECT_EQ(in_a_file(run),
            "::error title=erry could not be run,file=err.yaml,line=5,col=3::starting fail.sh: it is no "
            "program%0Aremedy: begin it with #!/bin/sh\n");
}

TEST(Github, SaysThatItWasInterrupted) {
  RunResult run;
  run.interrupted = true;
  EXPECT_THAT(in_a_file(run), StartsWith("::error title=interrupted::"));
}

TEST(Github, NothingBeginsACommandOfItsOwn) {
  RunResult run = samples::hostile_run();
  run.scenarios[0].checks[0].id += ",file=/etc/passwd::x\n::stop-commands::y%0A";
  const std::vector<std::string> lines = lines_of(in_a_file(run));
  EXPECT_THAT(lines, AllOf(SizeIs(2), Each(AllOf(StartsWith("::error title="), Not(HasSubstr("\x1b"))))));
  EXPECT_THAT(lines[0], HasSubstr("%2Cfile=/etc/passwd%3A%3Ax\\n%3A%3Astop-commands%3A%3Ay%250A"));
}

}  // namespace
}  // namespace plumbline::engine
