#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind wrong_uplink_cause();

namespace {

using testing::ip;
using traffic::Direction;

class WrongUplink : public testing::Ways {
 protected:
  WrongUplink() {
    question.promise = Case::Promise::egress;
    question.via = "ens5";
    in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4");
    facts.network.find("host")->rules.emplace_back().priority = 32766;
    to_gateway();
  }
  std::optional<Finding> recognise() { return wrong_uplink_cause().recognise(question, facts); }
};

TEST_F(WrongUplink, IsProvenByTheRouteThatLedThere) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host's route `default via 192.168.16.1 dev ens4` leads what goes to 203.0.113.80 out by ens4 "
            "instead of "
            "ens5.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip route replace default via 192.168.17.1 dev ens5"});
}

TEST_F(WrongUplink, NamesTheRuleThatTookTheOtherTable) {
  network::RoutingRule& rule = facts.network.find("host")->rules.emplace_back();
  rule.priority = 1000;
  rule.iif = "bridge0";
  rule.table = 88;
  in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4", 88);
  route("host", "203.0.113.80", "192.168.16.1", "ens4", 88);
  EXPECT_EQ(recognise()->summary,
            "host's route `default via 192.168.16.1 dev ens4 table 88`, by the rule `1000: from all iif "
            "bridge0 lookup "
            "88`, leads what goes to 203.0.113.80 out by ens4 instead of ens5.");
}

TEST_F(WrongUplink, IsOnlyLikelyWhereTheAddressesAloneDoNotExplainIt) {
  route("host", "203.0.113.80", "192.168.17.1", "ens5");
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(WrongUplink, IsNotClaimedWhereARuleIsMissing) {
  in_table("host", "0.0.0.0/0", "192.168.17.1", "ens5", 88);
  EXPECT_FALSE(recognise());
}

TEST_F(WrongUplink, IsNotClaimedOfWhatLeftAsPromised) {
  question.via = "ens4";
  EXPECT_FALSE(recognise());
}

TEST_F(WrongUplink, SaysThatItWasStoppedBeforeItLeft) {
  question.journey.sightings.clear();
  to_host();
  Passage& passage =
      testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.99.11", "203.0.113.80", "drop");
  passage.iif = "bridge0";
  passage.oif = "ens4";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(
      finding->evidence.front(),
      "192.168.99.11 > 203.0.113.80 was on its way out of host by ens4 instead of ens5 when it was stopped");
}

TEST_F(WrongUplink, IsNotClaimedOfWhatWasTurnedToSomebodyElse) {
  question.journey.sightings.clear();
  to_host();
  Passage& passage =
      testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.99.11", "192.168.16.1", "reject");
  passage.iif = "bridge0";
  passage.oif = "ens4";
  route("host", "192.168.16.1", "", "ens4");
  in_table("host", "192.168.16.0/24", "", "ens4");
  EXPECT_FALSE(recognise());
}

TEST_F(WrongUplink, IsNotClaimedOfAConnectedRoute) {
  question.to = ip("192.168.16.1");
  for (Sighting& sighting : question.journey.sightings) sighting.packet.ip->destination = question.to;
  route("host", "192.168.16.1", "", "ens4");
  in_table("host", "192.168.16.0/24", "", "ens4");
  EXPECT_FALSE(recognise());
}

TEST_F(WrongUplink, IsNotClaimedOfABridgedFrame) {
  question.journey.sightings.clear();
  to_host();
  Passage& passage =
      testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.99.11", "203.0.113.80");
  passage.iif = passage.oif = "bridge0";
  route("host", "203.0.113.80", "192.168.17.1", "ens5");
  EXPECT_FALSE(recognise());
}

TEST_F(WrongUplink, IsNotClaimedWhereNoUplinkIsPromised) {
  question.promise = Case::Promise::reach;
  EXPECT_FALSE(recognise());
}

TEST_F(WrongUplink, IsProvenByTheRuleForAMarkThatLeadsThere) {
  route("host", "203.0.113.80", "192.168.17.1", "ens5");
  network::RoutingRule& rule = facts.network.find("host")->rules.emplace_back();
  rule.priority = 1000;
  rule.mark = 7;
  rule.table = 7;
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
  in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4", 7);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip rule del priority 1000"});
}

}  // namespace
}  // namespace plumbline::proof
