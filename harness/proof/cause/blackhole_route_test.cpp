#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind blackhole_route_cause();

namespace {

using testing::ip;
using traffic::Direction;

class BlackholeRoute : public testing::Ways {
 protected:
  BlackholeRoute() {
    to_host();
    no_route("host", "203.0.113.80", EINVAL);
    in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4");
  }
  std::optional<Finding> recognise() { return blackhole_route_cause().recognise(question, facts); }
};

TEST_F(BlackholeRoute, IsProvenByTheLongestRouteAndTheKernelsRefusal) {
  in_table("host", "203.0.113.0/24", "", "").type = network::RouteType::blackhole;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "By host's route `blackhole 203.0.113.0/24`, what goes to 203.0.113.80 is dropped without a word.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip route del blackhole 203.0.113.0/24"});
}

TEST_F(BlackholeRoute, TellsItsKindsApart) {
  in_table("host", "203.0.113.0/24", "", "", 88).type = network::RouteType::prohibit;
  EXPECT_FALSE(recognise());
  no_route("host", "203.0.113.80", EACCES);
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"ip route del prohibit 203.0.113.0/24 table 88"});
}

TEST_F(BlackholeRoute, SwallowsAnswersToo) {
  to_internet();
  no_route("internet", "192.168.16.10", EHOSTUNREACH);
  in_table("internet", "192.168.16.10", "", "").type = network::RouteType::unreachable;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "By internet's route `unreachable 192.168.16.10/32`, the answer to 192.168.16.10 is refused as "
            "unreachable.");
}

TEST_F(BlackholeRoute, IsNotClaimedWhereALongerRouteWins) {
  in_table("host", "203.0.113.0/24", "", "").type = network::RouteType::blackhole;
  in_table("host", "203.0.113.80", "192.168.16.1", "ens4");
  EXPECT_FALSE(recognise());
}

TEST_F(BlackholeRoute, IsNotClaimedOfARefusalForAnotherReason) {
  EXPECT_FALSE(recognise());  // EINVAL: a source that is not let in
}

TEST_F(BlackholeRoute, IsNotClaimedWhereARuleStoppedIt) {
  in_table("host", "203.0.113.0/24", "", "").type = network::RouteType::blackhole;
  Passage& passage = testing::pass(question, "host", Hook::prerouting, Leg::forward, "192.168.99.11",
                                   "203.0.113.80", "drop");
  passage.rules.emplace_back().verdict = "drop";
  EXPECT_FALSE(recognise());
}

class RefusingRule : public BlackholeRoute {
 protected:
  RefusingRule() {
    facts.network.find("host")->rules.emplace_back().priority = 32766;
    facts.network.find("host")->find_interface("ens4")->up = true;
  }
};

TEST_F(RefusingRule, ShowsByARouteThatTheKernelDoesNotTake) {
  no_route("host", "203.0.113.80", EACCES);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "A routing rule of host (prohibit) refuses what goes to 203.0.113.80, before any table is asked for "
      "its route `default via 192.168.16.1 dev ens4`.");
}

TEST_F(RefusingRule, IsOnlyLikelyOfAnErrorThatSuppressedRoutesGiveToo) {
  no_route("host", "203.0.113.80", ENETUNREACH);
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(RefusingRule, IsNotClaimedWhereTheRouteCannotBeTaken) {
  no_route("host", "203.0.113.80", ENETUNREACH);
  facts.network.find("host")->find_interface("ens4")->up = false;
  EXPECT_FALSE(recognise());
  facts.network.find("host")->routes.clear();
  EXPECT_FALSE(recognise());
}

TEST_F(RefusingRule, IsNotClaimedOfUnreachableTargets) {
  no_route("host", "203.0.113.80", EHOSTUNREACH);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
