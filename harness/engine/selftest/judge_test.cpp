#include "harness/engine/selftest/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "harness/engine/selftest/report.hpp"

namespace plumbline::engine::selftest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Expectation expectation(const std::string& checks, Verdict verdict, std::vector<std::string> causes) {
  Expectation expected;
  expected.checks = {checks};
  expected.verdicts = {verdict};
  expected.causes = std::move(causes);
  return expected;
}

Fault fault(std::vector<Expectation> expected) {
  Fault made;
  made.id = "link/down";
  made.kind = "link";
  made.about = "A link is down.";
  made.file = "fixtures/faults/down.yaml";
  made.expected = std::move(expected);
  return made;
}

CheckResult check(const std::string& id, Verdict verdict, const std::string& cause = {}) {
  CheckResult made;
  made.id = id;
  made.verdict = verdict;
  made.observed = "what " + id + " saw";
  if (!cause.empty()) made.causes.push_back({cause, "", {}, "", true});
  return made;
}

ScenarioResult ran(std::vector<CheckResult> checks) {
  ScenarioResult made;
  made.setup = "native";
  made.build_ms = 1;
  made.checks_ms = 2;
  made.checks = std::move(checks);
  return made;
}

const Fault kDown = fault(
    {expectation("reach *", Verdict::fail, {"link-down"}), expectation("deny *", Verdict::inconclusive, {})});

TEST(Judge, AFaultIsCaughtByAllThatShouldAndNoOther) {
  const FaultResult result =
      judge(kDown, ran({check("reach a", Verdict::fail, "link-down"), check("deny a", Verdict::inconclusive),
                        check("egress a", Verdict::pass)}));
  EXPECT_EQ(result.outcome, Outcome::caught);
  EXPECT_EQ(result.noticed, 2U);
  EXPECT_THAT(result.causes, ElementsAre("link-down"));
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_DOUBLE_EQ(result.duration_ms, 3);
}

TEST(Judge, ACheckThatPassesAllTheSameHasMissedIt) {
  const FaultResult result =
      judge(kDown, ran({check("reach a", Verdict::pass), check("deny a", Verdict::inconclusive)}));
  EXPECT_EQ(result.outcome, Outcome::missed);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().expected, "fail, cause link-down");
  EXPECT_EQ(result.findings.front().observed, "pass");
}

TEST(Judge, AFailureIsMissedWhereNothingCouldBeSaid) {
  const FaultResult result = judge(kDown, ran({check("reach a", Verdict::inconclusive, "link-down"),
                                               check("deny a", Verdict::inconclusive)}));
  EXPECT_EQ(result.outcome, Outcome::missed);
}

TEST(Judge, TheFirstCauseCounts) {
  CheckResult two = check("reach a", Verdict::fail, "no-carrier");
  two.causes.push_back({"link-down", "", {}, "", false});
  const FaultResult result = judge(kDown, ran({two, check("deny a", Verdict::inconclusive)}));
  EXPECT_EQ(result.outcome, Outcome::wrong_cause);
  EXPECT_EQ(result.findings.front().observed, "fail, cause no-carrier, link-down");
  EXPECT_EQ(
      judge(kDown, ran({check("reach a", Verdict::fail), check("deny a", Verdict::inconclusive)})).outcome,
      Outcome::wrong_cause)
      << "none is none of the right ones";
}

TEST(Judge, WhatNobodyExpectedIsAFalseAlarm) {
  const FaultResult result =
      judge(kDown, ran({check("reach a", Verdict::fail, "link-down"), check("deny a", Verdict::inconclusive),
                        check("egress a", Verdict::inconclusive)}));
  EXPECT_EQ(result.outcome, Outcome::false_alarm);
  EXPECT_EQ(result.findings.front().check.id, "egress a");
  EXPECT_EQ(judge(kDown, ran({check("reach a", Verdict::fail, "link-down"), check("deny a", Verdict::fail)}))
                .outcome,
            Outcome::false_alarm)
      << "a failure without proof";
  EXPECT_EQ(judge(fault({}), ran({check("reach a", Verdict::fail)})).outcome, Outcome::false_alarm)
      << "a healthy network";
  EXPECT_EQ(judge(fault({}), ran({check("reach a", Verdict::pass)})).outcome, Outcome::caught);
}

TEST(Judge, OneOfSomeIsEnoughButNoneIsNot) {
  Fault some = fault({expectation("reach *", Verdict::fail, {"packet-loss"})});
  some.expected.front().some = 1;
  EXPECT_EQ(
      judge(some, ran({check("reach a", Verdict::pass), check("reach b", Verdict::fail, "packet-loss")}))
          .outcome,
      Outcome::caught);
  EXPECT_EQ(judge(some, ran({check("reach a", Verdict::pass), check("reach b", Verdict::pass)})).outcome,
            Outcome::missed);
  EXPECT_EQ(judge(some, ran({check("reach a", Verdict::pass), check("reach b", Verdict::fail, "link-down")}))
                .outcome,
            Outcome::wrong_cause);
  some.expected.front().some = 2;
  EXPECT_EQ(
      judge(some, ran({check("reach a", Verdict::pass), check("reach b", Verdict::fail, "packet-loss")}))
          .outcome,
      Outcome::missed);
}

TEST(Judge, WhatCouldNotBeTriedIsBrokenAndNeverCaught) {
  ScenarioResult failed = ran({check("reach a", Verdict::fail, "link-down")});
  failed.error = ScenarioError{"run: no such file", "", "install it", ErrorKind::setup};
  const FaultResult result = judge(kDown, failed);
  EXPECT_EQ(result.outcome, Outcome::broken);
  EXPECT_EQ(result.problem, "run: no such file");
  EXPECT_EQ(result.remedy, "install it");
  EXPECT_EQ(
      judge(kDown, ran({check("reach a", Verdict::error), check("deny a", Verdict::inconclusive)})).outcome,
      Outcome::broken);
}

TEST(Judge, ASetupThatMissesSomethingSkipsIt) {
  const FaultResult result =
      judge(kDown, ran({check("reach a", Verdict::skip), check("deny a", Verdict::skip)}));
  EXPECT_EQ(result.outcome, Outcome::skipped);
  EXPECT_EQ(result.problem, "what reach a saw");
}

Selftest of(std::vector<FaultResult> faults) {
  Selftest selftest;
  selftest.faults = std::move(faults);
  return selftest;
}

FaultResult with(Outcome outcome) {
  FaultResult result;
  result.id = "link/down";
  result.kind = "link";
  result.outcome = outcome;
  return result;
}

TEST(Selftest, ExitStatusIsZeroOnlyWhenAllIsRight) {
  EXPECT_EQ(of({with(Outcome::caught)}).exit_status(), 0);
  for (const Outcome outcome : {Outcome::missed, Outcome::wrong_cause, Outcome::false_alarm, Outcome::broken})
    EXPECT_EQ(of({with(Outcome::caught), with(outcome)}).exit_status(), 1) << to_text(outcome);
  EXPECT_EQ(of({with(Outcome::caught), with(Outcome::skipped)}).exit_status(), 4);
  EXPECT_EQ(of({}).exit_status(), 4) << "nothing was tried";
  Selftest interrupted = of({with(Outcome::caught)});
  interrupted.interrupted = true;
  EXPECT_EQ(interrupted.exit_status(), 130);
}

TEST(Selftest, IsToldByClassWithTheScore) {
  const Selftest selftest = of({with(Outcome::caught), with(Outcome::missed), with(Outcome::skipped)});
  const std::string text = console_totals({}, selftest);
  EXPECT_THAT(text, HasSubstr("link                  3            1            1            ."));
  EXPECT_THAT(text, HasSubstr("1 of 2 as it should be"));
  EXPECT_THAT(text, Not(HasSubstr("nat")));
  const std::string json = to_json(selftest);
  EXPECT_THAT(json, HasSubstr(R"("false_alarm": 0)"));
  EXPECT_THAT(json, HasSubstr(R"("outcome": "missed")"));
}

TEST(Selftest, WhatIsWrongIsToldWithItsChecksAndWhatIsRightInALine) {
  const FaultResult missed =
      judge(kDown, ran({check("reach a", Verdict::pass), check("reach b", Verdict::pass),
                        check("reach c", Verdict::pass), check("reach d", Verdict::pass),
                        check("reach e", Verdict::pass), check("deny a", Verdict::inconclusive)}));
  const std::string text = console_line({}, missed);
  EXPECT_THAT(text, HasSubstr("missed       link/down (native)  1 check"));
  EXPECT_THAT(text,
              HasSubstr("    missed: expected fail, cause link-down; it came to pass\n      reach a\n"));
  EXPECT_THAT(text, HasSubstr("and 2 more"));
  EXPECT_THAT(text, HasSubstr("fixtures/faults/down.yaml"));
  EXPECT_THAT(console_line({.verbosity = Verbosity::verbose}, missed), HasSubstr("what reach e saw"));
  EXPECT_THAT(console_line({.verbosity = Verbosity::quiet}, with(Outcome::caught)), IsEmpty());
}

}  // namespace
}  // namespace plumbline::engine::selftest
