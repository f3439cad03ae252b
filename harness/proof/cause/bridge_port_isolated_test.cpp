#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind bridge_port_isolated_cause();

namespace {

using kernel::netlink::NeighbourState;

class BridgePortIsolated : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return bridge_port_isolated_cause().recognise(question, facts); }
};

TEST_F(BridgePortIsolated, IsProvenOfTwoPortsOnTheWay) {
  ask_in_vain();
  link("host:veth1").port->isolated = link("host:veth2").port->isolated = true;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "host:bridge0 keeps veth1 and veth2 apart: both are isolated ports.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"bridge link set dev veth2 isolated off  # on host"});
}

TEST_F(BridgePortIsolated, IsNotClaimedWhereOnlyOneIs) {
  ask_in_vain();
  link("host:veth1").port->isolated = true;
  EXPECT_FALSE(recognise());
}

TEST_F(BridgePortIsolated, IsNotClaimedOnTheWayToTheBridgeItself) {
  ask("192.168.99.1", "host");
  route("container-one", "192.168.99.1", "eth0");
  neighbour("container-one", "eth0", "192.168.99.1", NeighbourState::incomplete);
  link("host:veth1").port->isolated = link("host:veth2").port->isolated = true;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
