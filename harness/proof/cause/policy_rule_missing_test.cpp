#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind policy_rule_missing_cause();

namespace {

using testing::ip;
using traffic::Direction;

class PolicyRuleMissing : public testing::Ways {
 protected:
  PolicyRuleMissing() {
    question.promise = Case::Promise::egress;
    question.via = "ens5";
    in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4");
    in_table("host", "0.0.0.0/0", "192.168.17.1", "ens5", 88);
    network::RoutingRule& main = facts.network.find("host")->rules.emplace_back();
    main.priority = 32766;
    to_gateway();
  }
  network::RoutingRule& rule(std::uint32_t priority) {
    network::RoutingRule& made = facts.network.find("host")->rules.emplace_back();
    made.priority = priority;
    made.table = 88;
    return made;
  }
  std::optional<Finding> recognise() { return policy_rule_missing_cause().recognise(question, facts); }
};

TEST_F(PolicyRuleMissing, IsClaimedWhereATableHasTheWayAndNoRuleLeadsThere) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "No rule of host leads packets from 192.168.99.11 to 203.0.113.80 into table 88, which has the "
            "way by ens5.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip rule add iif bridge0 lookup 88"});
}

TEST_F(PolicyRuleMissing, SaysSoOfARuleByMark) {
  rule(100).mark = 5;
  EXPECT_EQ(recognise()->evidence.back(),
            "rule `100: from all fwmark 0x5 lookup 88` wants a mark, which the packet has not");
}

TEST_F(PolicyRuleMissing, IsClaimedWhereThereIsNoWayWithoutTheTable) {
  question = testing::unanswered();
  to_host();
  no_route("host", "203.0.113.80");
  facts.network.find("host")->routes.erase(facts.network.find("host")->routes.begin());
  EXPECT_TRUE(recognise());
}

TEST_F(PolicyRuleMissing, IsNotClaimedWhereARuleLeadsThere) {
  rule(40000).iif = "bridge0";  // too late, but there: not this cause
  EXPECT_FALSE(recognise());
}

TEST_F(PolicyRuleMissing, IsNotClaimedWhereNoTableHasTheWay) {
  facts.network.find("host")->routes.pop_back();
  EXPECT_FALSE(recognise());
}

TEST_F(PolicyRuleMissing, IsNotClaimedOfWhatLeftAsPromised) {
  question.via = "ens4";
  EXPECT_FALSE(recognise());
}

TEST_F(PolicyRuleMissing, IsNotClaimedWhereSomethingMarkedThePacket) {
  route("host", "203.0.113.80", "192.168.99.77", "bridge0");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
