#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::rendered;

/// A series that stands there more than once; empty: none.
std::string told_twice(const std::string& metrics) {
  std::set<std::string> known;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    const std::string series = line.substr(0, line.rfind(' '));
    if (!line.starts_with('#') && !known.insert(series).second) return series;
  }
  return "";
}

class Prometheus : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::require_program(folder_, "promtool", "prometheus", "PLUMBLINE_REPORT_TOOLS", "required");
  }
  /// What promtool says against it; empty: nothing.
  std::string refused(const std::string& metrics) const {
    const int status = folder_.run("promtool check metrics <" + folder_.write("report.prom", metrics));
    return status == 0 && folder_.said().empty() ? "" : "promtool: " + folder_.said();
  }
  testing::Folder folder_;
};

TEST_F(Prometheus, PromtoolFindsNothingToSay) {
  EXPECT_EQ(refused(rendered("prometheus", samples::sample_run())), "");
  EXPECT_EQ(refused(rendered("prometheus", samples::everything())), "") << "repetitions";
  EXPECT_EQ(refused(rendered("prometheus", samples::merged_run())), "") << "hosts";
  EXPECT_EQ(refused(rendered("prometheus", samples::hostile_run())), "");
}

/// A series may stand only once: promtool lets it pass, the collector refuses the file.
TEST_F(Prometheus, PartsOfAScenarioAreOneSeries) {
  RunResult run = samples::sample_run();
  run.scenarios.push_back(run.scenarios.front());
  run.scenarios.back().error = ScenarioError{"its sandbox was killed", "", ""};
  const std::string metrics = rendered("prometheus", run);
  EXPECT_EQ(refused(metrics), "");
  EXPECT_EQ(told_twice(metrics), "");
  EXPECT_EQ(told_twice(rendered("prometheus", samples::merged_run())), "");
  const std::string labels =
      "{file=\"scenarios/two-uplinks.yaml\",scenario=\"two-uplinks\",setup=\"native\"}";
  EXPECT_THAT(metrics, HasSubstr("plumbline_scenario_error" + labels + " 1\n"));
}

TEST_F(Prometheus, PromtoolCanRefuse) {
  EXPECT_NE(refused("plumbline_checks{verdict=\"pass} 1\n"), "");
}

TEST_F(Prometheus, TellsEachVerdictWithItsCause) {
  EXPECT_THAT(
      rendered("prometheus", samples::sample_run()),
      AllOf(
          HasSubstr("plumbline_checks{verdict=\"fail\"} 1\n"), HasSubstr("plumbline_run_exit_status 1\n"),
          HasSubstr(
              "plumbline_check_passed{file=\"scenarios/two-uplinks.yaml\",scenario=\"two-uplinks\",setup="
              "\"native\",check=\"deny container-one -> 10.1.2.3 tcp/80\",type=\"deny\"} 0\n"),
          HasSubstr("verdict=\"fail\",cause=\"deny-rule-missing\"} 1\n"),
          Not(HasSubstr("plumbline_check_passed{file=\"scenarios/two-uplinks.yaml\",scenario=\"two-uplinks\","
                        "setup=\"native\",check=\"egress"))));
}

}  // namespace
}  // namespace plumbline::engine
