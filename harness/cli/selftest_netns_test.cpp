#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A fault of seed/veth-pair, with what is expected of its checks.
std::string fault(const std::string& change, const std::string& expect) {
  return "version: 1\nabout: Somebody pulled the cable.\nclass: link\nscenario: seed/veth-pair\nchange:\n  "
         "- " +
         change + "\nexpect:\n  - " + expect + "\n";
}

class SelftestInNamespaces : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran doctor = plumbline({"doctor"});
    if (doctor.status == 0) return;
    if (in_ci()) FAIL() << doctor.out << doctor.err;
    GTEST_SKIP() << doctor.out << doctor.err;
  }

  Folder folder_;
};

TEST_F(SelftestInNamespaces, WhatCannotBeMadeIsBrokenAndNeverCaught) {
  const std::string file = folder_.write(
      "broken.yaml",
      fault("run: {shell: \"echo it cannot be >&2; exit 3\"}", "{checks: \"*\", cause: link-down}"));
  const Ran ran = plumbline({"selftest", file});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("broken       link/broken"), HasSubstr("it cannot be")));
}

TEST_F(SelftestInNamespaces, AFaultThatNobodyCanNoticeIsMissed) {
  const std::string file =
      folder_.write("none.yaml", fault("run: {shell: \"true\"}", "{checks: \"*\", cause: link-down}"));
  const Ran ran = plumbline({"selftest", "--report", "json", file});
  EXPECT_EQ(ran.status, 1) << ran.err;
  const boost::json::value report = boost::json::parse(ran.out);
  EXPECT_EQ(report.at("summary").at("missed"), 1);
  EXPECT_EQ(report.at("faults").at(0).at("outcome"), "missed");
  EXPECT_EQ(report.at("faults").at(0).at("findings").at(0).at("observed"), "pass");
}

TEST_F(SelftestInNamespaces, AScenarioIsAHealthyNetwork) {
  const Ran ran = plumbline({"selftest", PLUMBLINE_SOURCE_DIR "/scenarios/seed/veth-pair.yaml"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("healthy/veth-pair"), HasSubstr("no alarm")));
}

TEST_F(SelftestInNamespaces, OneOfTheCatalogueIsCaught) {
  const Ran ran = plumbline({"selftest", "-k", "link/container-link-down"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("caught       link/container-link-down (native)"),
                             HasSubstr("1 of 1 as it should be")));
}

}  // namespace
}  // namespace plumbline::cli::testing
