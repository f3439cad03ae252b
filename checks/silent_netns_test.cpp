#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing_arranged.hpp"

namespace plumbline::checks {
namespace {

using engine::CheckResult;
using engine::Verdict;
using ::testing::HasSubstr;
using testing_support::Arranged;
using testing_support::arranged_spec;

CheckResult of_type(const std::vector<engine::CheckResult>& results, const char* type) {
  for (const CheckResult& check : results) {
    if (check.type == type) return check;
  }
  ADD_FAILURE() << "no " << type;
  return {};
}

// The check stands first on purpose: it is judged last all the same.
std::string with_traffic(const std::string& silent) {
  return "  - silent: " + silent +
         "\n  - egress: {from: container-one, to: internet, via: ens5, with: [ping, tcp/80], family: ipv4}";
}

TEST(Silent, PassesWhereNothingOfAContainersLeavesUntranslated) {
  Arranged arranged(
      arranged_spec(with_traffic("{dev: ens5, filter: src net 192.168.99.0/24, control: \"host:bridge0\"}")));
  const auto results = arranged.judge();
  ASSERT_EQ(results.back().type, "silent");
  EXPECT_EQ(results.back().verdict, Verdict::pass) << results.back().observed;
  EXPECT_EQ(results.back().id, "silent host:ens5 src net 192.168.99.0/24");
  EXPECT_TRUE(results.back().journey.empty());
}

TEST(Silent, FailsWithTheFramesWhereMasqueradeIsGone) {
  Arranged arranged(
      arranged_spec(with_traffic("{dev: ens5, filter: src net 192.168.99.0/24, control: \"host:bridge0\"}")));
  arranged.run("host", "nft flush chain inet nat postrouting");
  const CheckResult check = of_type(arranged.judge(), "silent");
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("first 192.168.99.11"));
  ASSERT_FALSE(check.journey.empty());
  EXPECT_EQ(check.journey.front().interface, "ens5");
  EXPECT_EQ(check.journey.front().direction, "out");
}

TEST(Silent, WithoutAMatchAtTheControlIsInconclusive) {
  Arranged arranged(
      arranged_spec(with_traffic("{dev: ens5, filter: src net 192.168.98.0/24, control: \"host:bridge0\"}")));
  EXPECT_EQ(of_type(arranged.judge(), "silent").verdict, Verdict::inconclusive);
}

TEST(Silent, OfAnInterfaceThatWasDeletedMeanwhileIsInconclusive) {
  // A change of the scenario, so the runner itself is needed.
  const spec::Spec spec = arranged_spec(
      R"(  - silent: {dev: veth2, filter: icmp and src host 192.168.99.11, control: "host:veth1"}
  - reach: {from: container-one, to: host, family: ipv4}
  - then: {delete-link: {dev: veth2}}
  - reach: {from: container-one, to: host, family: ipv4})");
  const engine::RunResult run = engine::run({spec}, {}, {});
  ASSERT_EQ(run.scenarios.size(), 1U);
  const auto& scenario = run.scenarios.front();
  ASSERT_FALSE(scenario.error) << scenario.error->message;
  const CheckResult check = of_type(scenario.checks, "silent");
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("the tap on host:veth2 has ended"));
}

TEST(Silent, SeesAThirdPortOnlyWhileTheBridgeDoesNotKnowBetter) {
  Arranged arranged(arranged_spec(R"(  - reach: {from: container-one, to: host, with: ping, family: ipv4}
  - silent: {dev: veth2, filter: icmp, control: "host:veth1"})"));
  EXPECT_EQ(of_type(arranged.judge(), "silent").verdict, Verdict::pass);
}

TEST(Silent, OfAnInterfaceThatIsNotThereIsAnErrorAndOfOneThatIsDownInconclusive) {
  Arranged arranged(arranged_spec(with_traffic(
      "{dev: ens9, filter: icmp, control: \"host:bridge0\"}\n  - silent: {dev: ens4, filter: icmp, "
      "control: \"host:bridge0\"}")));
  arranged.run("host", "ip link set ens4 down");
  const auto results = arranged.judge();
  const CheckResult& missing = results.at(results.size() - 2);
  EXPECT_EQ(missing.verdict, Verdict::error);
  EXPECT_THAT(missing.observed, HasSubstr("host had no interface ens9 when the scenario started"));
  EXPECT_EQ(results.back().verdict, Verdict::inconclusive) << results.back().observed;
}

TEST(Silent, RefusesAFilterThatIsNone) {
  for (const char* wrong : {
           "{dev: ens4, filter: tcp prot 80, control: \"host:bridge0\"}",
           "{dev: ens4, filter: \"\", control: \"host:bridge0\"}",
           "{dev: ens4, filter: icmp}",
           "{dev: ens4, filter: icmp, control: host}",
           "{dev: ens4, filter: icmp, control: \"hots:bridge0\"}",
           "{dev: ens4, filter: icmp, control: \"host:ens4\"}",
       }) {
    EXPECT_THROW(Arranged(arranged_spec(std::string("  - silent: ") + wrong)), spec::SpecError) << wrong;
  }
}

}  // namespace
}  // namespace plumbline::checks
