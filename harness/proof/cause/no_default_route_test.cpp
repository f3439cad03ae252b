#include <gtest/gtest.h>

#include <tuple>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind no_default_route_cause();

namespace {

using testing::ip;
using traffic::Direction;

class NoDefaultRoute : public testing::Ways {
 protected:
  NoDefaultRoute() {
    no_route("container-one", "203.0.113.80");
    question.outcome.status = traffic::ProbeOutcome::Status::local_error;
    question.outcome.error_number = ENETUNREACH;
    question.outcome.attempted = "connect";
  }
  std::optional<Finding> recognise() { return no_default_route_cause().recognise(question, facts); }
};

TEST_F(NoDefaultRoute, IsProvenOfTheSender) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "container-one has no route to 203.0.113.80: it has no IPv4 default route.");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip route add default via 192.168.99.1 dev eth0  # on container-one"});
}

TEST_F(NoDefaultRoute, IsProvenOfTheHostOnTheWay) {
  question.outcome.status = traffic::ProbeOutcome::Status::timeout;
  to_host();
  no_route("host", "203.0.113.80");
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"ip route add default via 192.168.16.1 dev ens4"});
}

TEST_F(NoDefaultRoute, GoesByThePromisedUplink) {
  question.promise = Case::Promise::egress;
  question.via = "ens5";
  question.outcome.status = traffic::ProbeOutcome::Status::timeout;
  to_host();
  no_route("host", "203.0.113.80");
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"ip route add default via 192.168.17.1 dev ens5"});
}

TEST_F(NoDefaultRoute, NeverLeadsBackToWhereThePacketCameFrom) {
  question.to = ip("8.8.8.8");
  question.to_node.clear();
  question.outcome.status = traffic::ProbeOutcome::Status::timeout;
  to_host();
  for (const auto& [node, interface, out] :
       {std::tuple{"host", "ens4", Direction::out}, std::tuple{"gateway", "lan", Direction::in}})
    see(Leg::forward, node, interface, out, "192.168.16.10", "8.8.8.8");
  for (Sighting& sighting : question.journey.sightings) sighting.packet.ip->destination = ip("8.8.8.8");
  no_route("gateway", "8.8.8.8");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip route get 8.8.8.8  # on gateway"});
  EXPECT_EQ(finding->evidence.back(), "nobody in this network is known to hold 8.8.8.8");
  // What got past the guard that was to deny it should not be there at all.
  question.promise = Case::Promise::deny;
  question.guard = "host";
  EXPECT_FALSE(recognise());
}

TEST_F(NoDefaultRoute, IsNotClaimedWhereTheKernelHasARoute) {
  route("container-one", "203.0.113.80", "192.168.99.1", "eth0");
  EXPECT_FALSE(recognise());
}

TEST_F(NoDefaultRoute, IsNotClaimedWhereARouteIsThereThatIsNotUsed) {
  in_table("container-one", "0.0.0.0/0", "192.168.99.1", "eth0", 88);
  EXPECT_FALSE(recognise());
}

TEST_F(NoDefaultRoute, IsNotClaimedWhereTheInterfaceIsDown) {
  facts.network.find("container-one")->interfaces[0].up = false;
  EXPECT_FALSE(recognise());
}

TEST_F(NoDefaultRoute, IsNotClaimedOfATargetOnTheSameCable) {
  question.to = ip("192.168.99.1");
  no_route("container-one", "192.168.99.1");
  EXPECT_FALSE(recognise());
}

TEST_F(NoDefaultRoute, IsNotClaimedOfTheAnswer) {
  question.outcome.status = traffic::ProbeOutcome::Status::timeout;
  to_internet();
  no_route("internet", "192.168.16.10");
  EXPECT_FALSE(recognise());
}

TEST_F(NoDefaultRoute, IsNotClaimedOfWhoeverGetsWhatWentTheWrongWay) {
  question.promise = Case::Promise::egress;
  question.via = "ens4";
  question.outcome.status = traffic::ProbeOutcome::Status::timeout;
  to_host();
  see(Leg::forward, "host", "ens5", Direction::out, "192.168.17.10", "203.0.113.80");
  see(Leg::forward, "gateway-two", "lan", Direction::in, "192.168.17.10", "203.0.113.80");
  no_route("gateway-two", "203.0.113.80");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
