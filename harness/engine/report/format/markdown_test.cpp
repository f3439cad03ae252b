#include <gmock/gmock.h>

#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::rendered;

TEST(Markdown, SumsUpAndFoldsWhatDidNotPass) {
  EXPECT_THAT(rendered("markdown", samples::sample_run()),
              AllOf(HasSubstr("1 passed, 1 failed, 1 inconclusive, 1 skipped, 2 errors in 1.04 s"),
                    HasSubstr("| ❌ two-uplinks"), HasSubstr("<summary>❌ two-uplinks (native): deny "),
                    HasSubstr("<summary>💥 broken (native): could not be run</summary>"),
                    Not(HasSubstr("reach host"))));
}

TEST(Markdown, TellsOnceWhatSeveralChecksFailedFor) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios[0].checks.assign(2, samples::failed());
  run.scenarios[0].checks[1].id += " again";
  EXPECT_THAT(
      rendered("markdown", run),
      HasSubstr("### Causes of several checks\n\n2 checks have one cause: deny-rule-missing: no rule of host "
                "rejects "
                "10.0.0.0/8 before the rule that accepts what comes from bridge0\n\n<pre>\nnft insert rule"));
}

TEST(Markdown, WhatWasCutShortHasNotPassed) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios[0].checks = {samples::sample_run().scenarios[0].checks[0]};
  run.scenarios[0].checks[0].verdict = Verdict::pass;
  run.scenarios[0].checks.push_back(run.scenarios[0].checks[0]);
  run.interrupted = true;
  EXPECT_THAT(rendered("markdown", run), HasSubstr("| ✅ "));
  run.scenarios[0].checks[1].verdict = Verdict::skip;
  EXPECT_THAT(rendered("markdown", run), AllOf(HasSubstr("| ⏭️ "), Not(HasSubstr("| ✅ "))));
}

TEST(Markdown, NothingInItIsMarkup) {
  RunResult run = samples::hostile_run();
  run.scenarios[0].name += "|`[x](javascript:y)'@someone";
  const std::string text = rendered("markdown", run);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("</script>")), Not(HasSubstr("\x1b")), Not(HasSubstr("</pre>PASS")),
                          HasSubstr("&#124;&#96;&#91;x&#93;&#40;javascript:y&#41;&#39;&#64;someone")));
}

TEST(Markdown, StaysBelowWhatASummaryMayHold) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios[0].checks.assign(5'000, samples::failed());
  const std::string text = rendered("markdown", run);
  EXPECT_LT(text.size(), 1'000'000U);
  EXPECT_THAT(text, HasSubstr("There is more than a summary may hold"));
}

}  // namespace
}  // namespace plumbline::engine
