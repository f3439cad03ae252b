#include "harness/engine/report/compared.hpp"

#include <gmock/gmock.h>

#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

using ::testing::AllOf;
using testing::expect_golden;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::rendered;

/// What hosts and time have changed, without the scenarios themselves.
RunResult compared() {
  RunResult run = samples::merged_run();
  run.repetitions = 1;
  run.interrupted = false;
  run.scenarios = {run.scenarios.front(), run.scenarios.back()};
  for (ScenarioResult& scenario : run.scenarios) {
    scenario.repetition = 0;
    scenario.interrupted = false;
  }
  return run;
}

TEST(Compared, Console) {
  expect_golden(
      rendered("console", compared(), {.verbosity = Verbosity::quiet, .width = 80, .several_hosts = true}),
      "console-compared.txt");
}

TEST(Compared, ConsoleOnATerminal) {
  const std::string text = rendered("console", compared(), {.unicode = true, .several_hosts = true});
  EXPECT_THAT(text, AllOf(HasSubstr("(setup native, host web1)"), HasSubstr("(setup native, host web2)"),
                          HasSubstr("FORWARD: ip daddr 10.0.0.0/8 drop → drop")));
}

TEST(Compared, Markdown) {
  RunResult run = compared();
  for (ScenarioResult& scenario : run.scenarios) scenario.checks.clear();
  const RunResult of_hosts = compared();
  expect_golden(rendered("markdown", run), "markdown-compared.md");
  EXPECT_THAT(rendered("markdown", of_hosts), HasSubstr("### Hosts differ in 2 of the checks\n\n- two"));
}

TEST(Compared, WhatBefellManyAlikeIsToldOnceAndNotInFull) {
  RunResult run = compared();
  const BaselineChange change = run.baseline->changes.front();
  for (int i = 0; i < 30; ++i) {
    run.baseline->changes.push_back(change);
    run.baseline->changes.back().check = "reach container-" + std::to_string(i);
  }
  EXPECT_EQ(alike(*run.baseline).size(), 3U);
  EXPECT_EQ(alike(*run.baseline).front().checks.size(), 31U);
  EXPECT_THAT(rendered("console", run),
              AllOf(HasSubstr("      and 20 more (-v)\n"), Not(HasSubstr("container-29"))));
  EXPECT_THAT(rendered("console", run, {.verbosity = Verbosity::verbose}), HasSubstr("container-29"));
}

TEST(Compared, NothingIsToldWhereNothingWasCompared) {
  const std::string text = rendered("console", samples::everything());
  EXPECT_THAT(text, AllOf(Not(HasSubstr("across hosts")), Not(HasSubstr("compared with")),
                          Not(HasSubstr("host web1"))));
  RunResult run = compared();
  run.baseline->changes.clear();
  run.baseline->incomplete = 0;
  EXPECT_THAT(rendered("console", run),
              HasSubstr("compared with old.json of 2026-02-27T12:00:00Z: of 9 checks none changed\n"));
}

TEST(Compared, HostsThatHaveNoCheckInCommonAreNotSaidToAgree) {
  RunResult run = compared();
  run.scenarios.back().name = "other";
  EXPECT_THAT(rendered("console", run), HasSubstr("across hosts: no check in common\n"));
  run = compared();
  run.scenarios.back().checks = run.scenarios.front().checks;
  EXPECT_THAT(rendered("console", run), HasSubstr("across hosts: no verdict differs; 5 checks in common\n"));
}

TEST(Compared, TheHtmlPageIsGivenBoth) {
  const std::string page = rendered("html", compared());
  EXPECT_THAT(page, AllOf(HasSubstr("\"across_hosts\":[{\"scenario\":\"two-uplinks\""),
                          HasSubstr("\"baseline\":{\"name\":\"old.json\"")));
  EXPECT_THAT(rendered("html", samples::sample_run()),
              AllOf(HasSubstr("\"across_hosts\":[]"), Not(HasSubstr("\"baseline\":{"))));
}

TEST(Compared, TapAndGithubTellTheHost) {
  EXPECT_THAT(rendered("tap", compared(), {.several_hosts = true}),
              HasSubstr("ok 6 - web2: two-uplinks.native/reach host -> container-one ping\n"));
  EXPECT_THAT(rendered("github", compared()), HasSubstr("(two-uplinks%2C native on web1)"));
}

TEST(Compared, HostileTextStaysText) {
  const std::string text = rendered("console", samples::hostile_run());
  EXPECT_THAT(text,
              AllOf(HasSubstr("compared with a"), Not(HasSubstr("\x1b")), Not(HasSubstr("\nPASS  forged"))));
}

}  // namespace
}  // namespace plumbline::engine
