#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Two containers on bridges; `rule` stands before what lets them out, `second` is the other's bridge.
std::string spec(const std::string& rule, const std::string& second = "") {
  std::string text =
      "version: 1\n"
      "name: compared\n"
      "world: diy\n"
      "setup:\n"
      "  native:\n"
      "    bridges:\n"
      "      bridge0: {address: 192.168.99.1/24, containers: {one: 192.168.99.11";
  if (second.empty()) text += ", two: 192.168.99.12";
  text += "}}\n";
  if (!second.empty())
    text += "      " + second + ": {address: 192.168.98.1/24, containers: {two: 192.168.98.12}}\n";
  text +=
      "    forward: {allow: ens4}\n"
      "    masquerade: ens4\n";
  if (!rule.empty()) text += "    nft: |\n      insert rule inet filter forward " + rule + "\n";
  return text +
         "checks:\n"
         "  - egress: {from: [one, two], to: internet, via: ens4, with: [ping, tcp/80]}\n"
         "  - reach: {from: host, to: one}\n";
}

class ReportOfRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran doctor = plumbline({"doctor"});
    if (doctor.status == 0) return;
    if (in_ci()) FAIL() << doctor.out << doctor.err;
    GTEST_SKIP() << doctor.out << doctor.err;
  }
  /// The report of a run of `text`.
  std::string ran(const std::string& name, const std::string& text) const {
    const std::string file = folder_.path(name + ".json");
    const Ran ran = plumbline(
        {"run", folder_.write(name + ".yaml", text), "--trace", "none", "-q", "--report", "json=" + file});
    EXPECT_THAT(ran.err, IsEmpty());
    return file;
  }
  json::array changes(const std::string& now, const std::string& before) const {
    const Ran ran = plumbline({"report", now, "--baseline", before, "--report", "json"});
    EXPECT_THAT(ran.err, IsEmpty());
    const json::value baseline = json::parse(ran.out).at("baseline");
    EXPECT_EQ(baseline.at("incomplete"), 0);
    return baseline.at("changes").as_array();
  }
  Folder folder_;
};

std::vector<std::string> texts(const json::value& array) {
  std::vector<std::string> texts;
  for (const json::value& one : array.as_array()) texts.emplace_back(one.as_string());
  return texts;
}

TEST_F(ReportOfRuns, ARuleMoreIsAllThatChanged) {
  const std::string before = ran("before", spec(""));
  EXPECT_THAT(changes(ran("again", spec("")), before), IsEmpty());
  const json::array changed =
      changes(ran("more", spec("ip saddr 192.168.99.11 tcp dport 80 counter")), before);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].at("check"), "egress one -> internet tcp/80 via ens4");
  EXPECT_EQ(changed[0].at("was"), "pass");
  EXPECT_EQ(changed[0].at("is"), "pass");
  EXPECT_THAT(texts(changed[0].at("gained")),
              ElementsAre("host forward inet filter forward: ip saddr 192.168.99.11 tcp dport 80 counter "
                          "→ continue"));
  EXPECT_THAT(texts(changed[0].at("lost")), IsEmpty());
}

TEST_F(ReportOfRuns, ADenialIsToldWithItsRule) {
  const json::array changed =
      changes(ran("denied", spec("ip saddr 192.168.99.12 icmp type echo-request counter drop")),
              ran("open", spec("")));
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].at("check"), "egress two -> internet ping via ens4");
  EXPECT_EQ(changed[0].at("is"), "fail");
  EXPECT_THAT(texts(changed[0].at("gained")),
              ElementsAre("host forward inet filter forward: ip saddr 192.168.99.12 icmp type echo-request "
                          "counter drop → drop"));
  EXPECT_THAT(texts(changed[0].at("lost")), Contains("host:ens4 out, source translated"));
}

TEST_F(ReportOfRuns, AContainerThatWasMovedGoesByItsNewBridge) {
  const json::array changed = changes(ran("moved", spec("", "bridge1")), ran("together", spec("")));
  ASSERT_EQ(changed.size(), 2U) << json::serialize(changed);
  for (const json::value& change : changed) {
    EXPECT_THAT(std::string(change.at("check").as_string()), HasSubstr("egress two -> "));
    EXPECT_THAT(texts(change.at("gained")), Contains("host:bridge1 in"));
    EXPECT_THAT(texts(change.at("lost")), Contains("host:bridge0 in"));
  }
}

}  // namespace
}  // namespace plumbline::cli::testing
