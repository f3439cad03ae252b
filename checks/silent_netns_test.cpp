#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing_arranged.hpp"

namespace plumbline::checks {
namespace {

using engine::CheckResult;
using engine::Verdict;
using engine::testing::Scenario;
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

CheckResult silent_after(const std::string& script) {
  Scenario scenario;  // its folder is where scripts run
  scenario.checks(
      "  - silent: {dev: ens5, filter: icmp, control: \"host:ens4\"}\n"
      "  - egress: {from: host, to: internet, via: ens4, family: ipv4}\n" +
      script);
  const engine::RunResult run = engine::run({scenario.load()}, {}, {});
  if (run.scenarios.size() != 1 || run.scenarios.front().error) {
    ADD_FAILURE() << (run.scenarios.empty() ? "no scenario" : run.scenarios.front().error->message);
    return {};
  }
  return of_type(run.scenarios.front().checks, "silent");
}

constexpr const char* kAnotherEns5 =
    "ip link set ens5 name old5; ip link add ens5 type veth peer name p5; ip link set ens5 up; ip link set "
    "p5 "
    "up; ip addr add 192.168.77.1/24 dev ens5; ip neigh add 192.168.77.2 lladdr 02:00:00:00:00:02 dev ens5; "
    "ping -c1 -W1 192.168.77.2 || true";

TEST(Silent, OfANameThatAnotherInterfaceHasMeanwhileIsInconclusive) {
  const CheckResult check = silent_after(std::string("  - run: {shell: \"") + kAnotherEns5 + "\"}");
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("host:ens5 is another interface than the one that was watched"));
}

TEST(Silent, OfANameThatAnotherInterfaceHadForAWhileIsInconclusive) {
  const CheckResult check =
      silent_after(std::string("  - run: {shell: \"") + kAnotherEns5 +
                   "\"}\n  - run: {shell: \"ip link del ens5; ip link set old5 name ens5\"}");
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
}

TEST(Silent, OfAnInterfaceThatWasRenamedIsInconclusive) {
  const CheckResult check = silent_after("  - run: {shell: \"ip link set ens5 name old5\"}");
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("no interface of host is named ens5 any more"));
}

TEST(Silent, OfANodeThatWasMadeAnewIsInconclusive) {
  Scenario scenario;
  scenario.checks(
      R"(  - silent: {in: container-one, dev: eth0, filter: icmp and dst host 203.0.113.80, control: "host:bridge0"}
  - run:
      shell: |
        ip netns del container-one
        ip netns add container-one
        ip -n container-one link add eth0 type veth peer name p0
  - reach: {from: container-two, to: internet, family: ipv4})");
  const engine::RunResult run = engine::run({scenario.load()}, {}, {});
  ASSERT_EQ(run.scenarios.size(), 1U);
  ASSERT_FALSE(run.scenarios.front().error) << run.scenarios.front().error->message;
  const CheckResult check = of_type(run.scenarios.front().checks, "silent");
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("container-one is another node than the one that was watched"));
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
