#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

namespace json = boost::json;
using ::testing::IsEmpty;

/// The report of a run of a scenario that ships.
std::string ran(const Folder& folder, const std::string& scenario, const std::string& name) {
  const std::string file = folder.path(name + ".json");
  const Ran ran = plumbline({"run", PLUMBLINE_SOURCE_DIR "/scenarios/runtimes/" + scenario + ".yaml",
                             "--trace", "none", "-q", "--report", "json=" + file});
  EXPECT_THAT(ran.err, IsEmpty());
  return file;
}

/// Engines make up names and ids anew in each run, which must not be taken for changes.
class TwoRunsOfAnEngine : public ::testing::TestWithParam<const char*> {};

TEST_P(TwoRunsOfAnEngine, DifferInNothing) {
  const Folder folder;
  const std::string once = ran(folder, GetParam(), "once");
  const Ran ran_again =
      plumbline({"report", ran(folder, GetParam(), "again"), "--baseline", once, "--report", "json"});
  const json::value report = json::parse(ran_again.out);
  if (report.at("summary").at("passed") == 0) {
    if (in_ci()) FAIL() << "its engine is missing";
    GTEST_SKIP() << "its engine is missing, or this is not root";
  }
  const json::value& baseline = report.at("baseline");
  EXPECT_GT(baseline.at("compared").to_number<int>(), 0);
  EXPECT_EQ(baseline.at("incomplete"), 0);
  EXPECT_THAT(json::serialize(baseline.at("changes")), "[]");
}

INSTANTIATE_TEST_SUITE_P(Shipped, TwoRunsOfAnEngine,
                         ::testing::Values("docker-user-network", "podman-default", "cni-bridge"),
                         [](const auto& one) {
                           std::string name(one.param);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace plumbline::cli::testing
