#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind bridge_port_blocked_cause();

namespace {

class BridgePortBlocked : public ::testing::Test, protected testing::Plugged {
 protected:
  BridgePortBlocked() {
    ask_in_vain();
    for (const char* port : {"host:veth1", "host:veth2"}) link(port).port_state = 3;
  }
  std::optional<Finding> recognise() { return bridge_port_blocked_cause().recognise(question, facts); }
};

TEST_F(BridgePortBlocked, IsProvenOfAPortThatListensForTheSpanningTree) {
  link("host:veth2").port_state = 1;
  link("host:bridge0").bridge.emplace().spanning_tree = true;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "host:veth2 is listening, so that bridge0 passes nothing by it: the bridge runs the spanning tree "
      "protocol.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set bridge0 type bridge stp_state 0  # on host"});
}

TEST_F(BridgePortBlocked, IsProvenOfADisabledPort) {
  link("host:veth1").port_state = 0;
  EXPECT_EQ(recognise()->fix,
            std::vector<std::string>{"ip link set veth1 type bridge_slave state 3  # on host"});
}

TEST_F(BridgePortBlocked, IsProvenOfALockedPort) {
  link("host:veth2").port->locked = true;
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"bridge link set dev veth2 locked off  # on host"});
}

TEST_F(BridgePortBlocked, IsNotClaimedWhereTheLockedPortKnowsWhoIsBehindIt) {
  link("host:veth2").port->locked = true;
  facts.forwarding_of["host:bridge0"] = {{*link("container-two:eth0").mac, "veth2", false, true}};
  EXPECT_FALSE(recognise());
}

TEST_F(BridgePortBlocked, IsNotClaimedOfPortsThatForward) {
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
