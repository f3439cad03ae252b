#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind neighbour_failed_cause();

namespace {

using kernel::netlink::NeighbourState;
using testing::ip;

class NeighbourFailed : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return neighbour_failed_cause().recognise(question, facts); }
};

class ByNobody : public NeighbourFailed {
 protected:
  ByNobody() {
    ask("203.0.113.80", "internet");
    route("container-one", "203.0.113.80", "eth0", "192.168.99.77");
    neighbour("container-one", "eth0", "192.168.99.77", NeighbourState::failed);
    network::Route& way = facts.network.find("container-one")->routes.emplace_back();
    way.via = ip("192.168.99.77");
    facts.sysctls[{"host", "net/ipv4/ip_forward"}] = "1";
  }
};

TEST_F(ByNobody, IsProvenAndNamesTheRouterOfTheSegment) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "container-one asks eth0's segment for the router 192.168.99.77, and nobody has that address.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "ip route replace default via 192.168.99.1 dev eth0  # on container-one"});
}

TEST_F(ByNobody, IsNotClaimedWhereSomebodyHoldsIt) {
  interface("container-two", "eth0").addresses.push_back(InterfaceAddress::parse("192.168.99.77/24").value());
  EXPECT_FALSE(recognise());
}

TEST_F(ByNobody, IsNotClaimedWhereNobodyWasAsked) {
  facts.neighbours_of.clear();
  EXPECT_FALSE(recognise());
}

TEST_F(NeighbourFailed, IsNotClaimedOfACableThatIsDown) {
  ask_in_vain();
  link("container-one:eth0").running = false;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
