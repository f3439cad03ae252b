#include <gmock/gmock.h>

#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::rendered;

class Tap : public ::testing::Test {
 protected:
  void SetUp() override { testing::require_program(folder_, "prove", "perl"); }
  /// prove's exit status; what it says is in folder_.said().
  int prove(const std::string& tap) const {
    return folder_.run("prove --verbose --exec cat " + folder_.write("report.tap", tap));
  }
  testing::Folder folder_;
};

TEST_F(Tap, ProveReadsAllOfIt) {
  EXPECT_EQ(prove(rendered("tap", samples::sample_run())), 1);
  EXPECT_THAT(folder_.said(), AllOf(HasSubstr("Failed 4/6 subtests"), HasSubstr("less 1 skipped subtest"),
                                    Not(HasSubstr("Parse errors"))));
}

TEST_F(Tap, ProveAcceptsARunWhereAllPassed) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios[0].checks = {samples::passed(), samples::passed()};
  EXPECT_EQ(prove(rendered("tap", run)), 0) << folder_.said();
}

TEST_F(Tap, ProveSeesThatARunWasInterrupted) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios[0].checks = {samples::passed()};
  run.interrupted = true;
  EXPECT_NE(prove(rendered("tap", run)), 0);
  EXPECT_THAT(folder_.said(), HasSubstr("interrupted"));
}

TEST_F(Tap, DiagnosticsAreYaml) {
  const std::string tap = rendered("tap", samples::sample_run());
  EXPECT_THAT(tap, AllOf(HasSubstr("  severity: \"fail\"\n"), HasSubstr("  line: 12\n"),
                         HasSubstr("  cause: \"deny-rule-missing\"\n"),
                         HasSubstr("    - \"nft list chain ip filter FORWARD\"\n"),
                         HasSubstr(" # SKIP this kernel has no IPv6\n")));
}

TEST_F(Tap, NothingForgesALine) {
  const std::string tap = rendered("tap", samples::hostile_run());
  EXPECT_EQ(prove(tap), 1);
  EXPECT_THAT(folder_.said(), AllOf(Not(HasSubstr("Parse errors")), HasSubstr("Failed 2/2 subtests")));
}

}  // namespace
}  // namespace plumbline::engine
