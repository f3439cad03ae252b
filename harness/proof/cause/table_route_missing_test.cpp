#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind table_route_missing_cause();

namespace {

using testing::ip;
using traffic::Direction;

class TableRouteMissing : public testing::Ways {
 protected:
  TableRouteMissing() {
    question.promise = Case::Promise::egress;
    question.via = "ens5";
    in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4");
    network::RoutingRule& rule = facts.network.find("host")->rules.emplace_back();
    rule.priority = 1000;
    rule.iif = "bridge0";
    rule.table = 88;
    network::RoutingRule& main = facts.network.find("host")->rules.emplace_back();
    main.priority = 32766;
    to_gateway();
  }
  std::optional<Finding> recognise() { return table_route_missing_cause().recognise(question, facts); }
};

TEST_F(TableRouteMissing, IsClaimedWhereTheRuleLeadsToAnEmptyTable) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(
      finding->summary,
      "Table 88 of host, which the rule `1000: from all iif bridge0 lookup 88` leads to, has no route to "
      "203.0.113.80, so the packet took via 192.168.16.1 dev ens4 (table main).");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip route add default via 192.168.17.1 dev ens5 table 88"});
}

TEST_F(TableRouteMissing, IsNotClaimedWhereTheTableHasARoute) {
  in_table("host", "0.0.0.0/0", "192.168.17.1", "ens5", 88);
  EXPECT_FALSE(recognise());
}

TEST_F(TableRouteMissing, IsNotClaimedWhereTheRuleIsForOthers) {
  facts.network.find("host")->rules[0].iif = "bridge1";
  EXPECT_FALSE(recognise());
}

TEST_F(TableRouteMissing, IsNotClaimedOfARuleBehindTheOneThatDecided) {
  facts.network.find("host")->rules[0].priority = 40000;
  EXPECT_FALSE(recognise());
}

TEST_F(TableRouteMissing, IsProvenWhereTheTablesDefaultRouteTookTheAnswerAway) {
  question = testing::unanswered();
  question.to_node = "host";
  question.to = ip("192.168.99.1");
  see(Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", "192.168.99.1");
  see(Leg::forward, "host", "bridge0", Direction::in, "192.168.99.11", "192.168.99.1");
  see(Leg::reply, "host", "ens5", Direction::out, "192.168.99.1", "192.168.99.11");
  route("host", "192.168.99.11", "192.168.17.1", "ens5", 88);
  in_table("host", "0.0.0.0/0", "192.168.17.1", "ens5", 88);
  in_table("host", "192.168.99.0/24", "", "bridge0");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "Table 88 of host lacks bridge0's network 192.168.99.0/24, so the answer for 192.168.99.11 left "
            "by ens5.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip route add 192.168.99.0/24 dev bridge0 table 88"});
}

}  // namespace
}  // namespace plumbline::proof
