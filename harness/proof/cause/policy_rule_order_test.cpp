#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind policy_rule_order_cause();

namespace {

class PolicyRuleOrder : public testing::Ways {
 protected:
  PolicyRuleOrder() {
    question.promise = Case::Promise::egress;
    question.via = "ens5";
    in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4");
    in_table("host", "0.0.0.0/0", "192.168.17.1", "ens5", 88);
    rule(32766, network::kMainTable);
    to_gateway();
  }
  network::RoutingRule& rule(std::uint32_t priority, std::uint32_t table) {
    network::RoutingRule& made = facts.network.find("host")->rules.emplace_back();
    made.priority = priority;
    made.table = table;
    return made;
  }
  std::optional<Finding> recognise() { return policy_rule_order_cause().recognise(question, facts); }
};

TEST_F(PolicyRuleOrder, IsProvenOfARuleBehindMains) {
  rule(40000, 88).iif = "bridge0";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, (std::vector<std::string>{"ip rule add priority 1000 iif bridge0 lookup 88",
                                                    "ip rule del priority 40000"}));
}

TEST_F(PolicyRuleOrder, IsProvenOfAForeignRuleAhead) {
  rule(500, network::kMainTable);
  rule(1000, 88).iif = "bridge0";
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"ip rule del priority 500"});
}

TEST_F(PolicyRuleOrder, IsProvenOfAPromisedTable) {
  question = Case();
  question.promise = Case::Promise::route;
  question.host = question.from = "host";
  question.to = testing::ip("203.0.113.80");
  question.route.emplace().table = 88;
  rule(40000, 88);
  EXPECT_TRUE(recognise());
}

TEST_F(PolicyRuleOrder, IsNotClaimedWhereNoRuleLeadsThere) {
  EXPECT_FALSE(recognise());
}

TEST_F(PolicyRuleOrder, IsNotClaimedOfARuleForOthers) {
  rule(40000, 88).iif = "bridge1";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
