#include "harness/engine/report/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

using ::testing::HasSubstr;

TEST(Explain, IsWhatTheConsoleSays) {
  const RunResult run = samples::sample_run();
  std::ostringstream out;
  const auto console = format("console").make(out, {});
  for (const ScenarioResult& scenario : run.scenarios) console->scenario_finished(scenario);
  std::size_t explained = 0;
  for (const ScenarioResult& scenario : run.scenarios) {
    if (scenario.error) {
      EXPECT_THAT(out.str(), HasSubstr(explain(*scenario.error)));
    }
    for (const CheckResult& check : scenario.checks) {
      if (check.verdict == Verdict::pass) continue;
      EXPECT_THAT(out.str(), HasSubstr(explain(check))) << check.id;
      ++explained;
    }
  }
  EXPECT_GT(explained, 2U);
}

}  // namespace
}  // namespace plumbline::engine
