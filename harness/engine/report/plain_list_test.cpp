#include "harness/engine/report/plain_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace plumbline::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string listed(const RunResult& run) {
  std::ostringstream out;
  write_plain_list(out, run);
  return out.str();
}

CheckResult check(const std::string& id, Verdict verdict, const std::string& observed) {
  CheckResult made;
  made.id = id;
  made.verdict = verdict;
  made.observed = observed;
  return made;
}

RunResult run_of(std::vector<CheckResult> checks) {
  RunResult run;
  ScenarioResult scenario;
  scenario.name = "one";
  scenario.setup = "native";
  scenario.checks = std::move(checks);
  run.scenarios.push_back(std::move(scenario));
  return run;
}

TEST(PlainList, TellsTheTotalsAndWhatDidNotPassTheGravestFirst) {
  const std::string text =
      listed(run_of({check("a", Verdict::pass, "replied"), check("b", Verdict::inconclusive, "not seen"),
                     check("c", Verdict::fail, "timeout")}));
  EXPECT_THAT(text, HasSubstr("<b>1 passed, 1 failed, 1 inconclusive, 0 skipped, 0 errors</b>"));
  EXPECT_THAT(text, HasSubstr("<b class=\"fail\">fail</b> one (native): 1 passed, 1 failed"));
  EXPECT_THAT(text, HasSubstr("<b class=\"fail\">fail</b> c: timeout — one (native)"));
  EXPECT_LT(text.find("timeout"), text.find("not seen"));
  EXPECT_THAT(text, Not(HasSubstr("replied")));
}

TEST(PlainList, TextIsNoMarkup) {
  const std::string text = listed(run_of({check("</noscript><script>", Verdict::fail, "a\n\x1b[31m&")}));
  EXPECT_THAT(text, HasSubstr("&lt;/noscript&gt;&lt;script&gt;: a\\n\\x1b[31m&amp; — one (native)"));
  EXPECT_THAT(text, Not(HasSubstr("</noscript")));
}

TEST(PlainList, SaysHowManyItLeavesOut) {
  const std::string text =
      listed(run_of(std::vector<CheckResult>(2003, check("a", Verdict::fail, "timeout"))));
  EXPECT_THAT(text, HasSubstr("and 3 more, which are not listed here"));
}

}  // namespace
}  // namespace plumbline::engine
