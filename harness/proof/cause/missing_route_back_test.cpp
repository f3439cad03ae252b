#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind missing_route_back_cause();

namespace {

using testing::ip;
using traffic::Direction;

class MissingRouteBack : public testing::Ways {
 protected:
  std::optional<Finding> recognise() { return missing_route_back_cause().recognise(question, facts); }
};

TEST_F(MissingRouteBack, IsProvenOfTheFarEnd) {
  to_internet();
  no_route("internet", "192.168.16.10");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "internet has no way back to 192.168.16.10, from where the probe came.");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip route add 192.168.16.0/24 via 198.18.0.1 dev eth0  # on internet"});
}

TEST_F(MissingRouteBack, IsProvenOfARouterOnTheWayBack) {
  to_internet();
  see(Leg::reply, "internet", "eth1", Direction::out, "203.0.113.80", "192.168.16.10");
  see(Leg::reply, "gateway-two", "wan", Direction::in, "203.0.113.80", "192.168.16.10");
  no_route("gateway-two", "192.168.16.10");
  EXPECT_EQ(recognise()->summary,
            "gateway-two has no way back to 192.168.16.10: the answer of internet ended there.");
}

TEST_F(MissingRouteBack, IsNotClaimedWhereTheSourceShouldHaveBeenTranslated) {
  to_internet("192.168.99.11");
  no_route("internet", "192.168.99.11");
  EXPECT_FALSE(recognise());
}

TEST_F(MissingRouteBack, IsClaimedOfAContainerThatIsToKeepItsAddress) {
  question.promise = Case::Promise::egress;
  question.as = ip("192.168.99.11");
  to_internet("192.168.99.11");
  no_route("internet", "192.168.99.11");
  EXPECT_TRUE(recognise());
}

TEST_F(MissingRouteBack, IsProvenOfAContainerBesideWhoseNetworkNobodyTranslates) {
  network::Node& other = facts.add("container-two", Role::container);
  cable(other, "eth0", "192.168.98.12/24", {"host", "veth2"});
  cable(*facts.network.find("host"), "veth2", "192.168.98.1/24", {"container-two", "eth0"});
  question.to_node = "container-two";
  question.to = ip("192.168.98.12");
  see(Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", "192.168.98.12");
  see(Leg::forward, "host", "bridge0", Direction::in, "192.168.99.11", "192.168.98.12");
  see(Leg::forward, "host", "veth2", Direction::out, "192.168.99.11", "192.168.98.12");
  see(Leg::forward, "container-two", "eth0", Direction::in, "192.168.99.11", "192.168.98.12");
  no_route("container-two", "192.168.99.11");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "container-two has no way back to 192.168.99.11, from where the probe came.");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip route add default via 192.168.98.1 dev eth0  # on container-two"});
}

TEST_F(MissingRouteBack, IsNotClaimedWhereThereIsARoute) {
  to_internet();
  EXPECT_FALSE(recognise());
}

TEST_F(MissingRouteBack, IsProvenThoughTheTargetAnsweredItsNeighboursQuestion) {
  to_internet();
  no_route("internet", "192.168.16.10");
  see(Leg::neighbour, "internet", "eth0", Direction::out, "198.18.0.80", "198.18.0.1");
  EXPECT_TRUE(recognise());
}

TEST_F(MissingRouteBack, IsNotClaimedWhereAnAnswerLeft) {
  to_internet();
  no_route("internet", "192.168.16.10");
  see(Leg::reply, "internet", "eth0", Direction::out, "203.0.113.80", "192.168.16.10");
  EXPECT_FALSE(recognise());
}

TEST_F(MissingRouteBack, IsNotClaimedOfWhoeverGotWhatWasForANeighbour) {
  question.to_node = "host";
  question.to = ip("192.168.99.1");
  see(Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", "192.168.99.1");
  see(Leg::forward, "host", "bridge0", Direction::in, "192.168.99.11", "192.168.99.1");
  see(Leg::reply, "host", "ens5", Direction::out, "192.168.99.1", "192.168.99.11");
  see(Leg::reply, "gateway-two", "lan", Direction::in, "192.168.99.1", "192.168.99.11");
  no_route("gateway-two", "192.168.99.11");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
