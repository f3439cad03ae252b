#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind bridge_netfilter_cause();

namespace {

using testing::says;

class BridgeNetfilter : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return bridge_netfilter_cause().recognise(question, facts); }
};

class OnOneBridge : public BridgeNetfilter {
 protected:
  OnOneBridge() {
    question.to = testing::ip("192.168.99.12");
    question.to_node = "container-two";
    comes_to_host("192.168.99.11", "192.168.99.12");
    facts.sysctls[{"host", "net/bridge/bridge-nf-call-iptables"}] = "1";
    facts.routes["container-one 192.168.99.12"].dev = "eth0";
    held = forward("drop", {"oifname \"ens4\" accept"});
    Passage& passage = at_forward(Leg::forward, "192.168.99.11", "192.168.99.12");
    passage.oif = "bridge0";
    meet(passage, held, 1, "drop");
  }
  Chain held;
};

TEST_F(OnOneBridge, IsProvenByTheTraceAndTheSetting) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft add rule inet filter forward iifname bridge0 oifname bridge0 accept"});
}

TEST_F(OnOneBridge, IsNotClaimedWhereFramesDoNotMeetIpsRules) {
  facts.sysctls[{"host", "net/bridge/bridge-nf-call-iptables"}] = "0";
  EXPECT_FALSE(recognise());
}

TEST_F(OnOneBridge, IsNotClaimedOfWhatIsRoutedBackByTheBridge) {
  facts.routes["container-one 192.168.99.12"].via = testing::ip("192.168.99.1");
  EXPECT_FALSE(recognise());
}

class OnOneBridgeUntraced : public BridgeNetfilter {
 protected:
  OnOneBridgeUntraced() {
    question.kernel.nodes.clear();
    question.to = testing::ip("192.168.99.12");
    question.to_node = "container-two";
    testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11",
                 "192.168.99.12");
    testing::see(question, Leg::forward, "host", "veth1", traffic::Direction::other_host, "192.168.99.11",
                 "192.168.99.12");
    facts.sysctls[{"host", "net/bridge/bridge-nf-call-iptables"}] = "1";
    facts.routes["container-one 192.168.99.12"].dev = "eth0";
    forward("drop", {"oifname \"ens4\" accept"});
  }
};

TEST_F(OnOneBridgeUntraced, IsReckonedByTheRules) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft add rule inet filter forward iifname bridge0 oifname bridge0 accept"});
}

TEST_F(OnOneBridgeUntraced, IsNotClaimedWhereTheBridgesOwnRulesMayStopItFirst) {
  chain("bridge", "filter", "forward", Hook::forward, "accept", {"ip daddr 192.168.99.12 drop"});
  EXPECT_FALSE(recognise()) << "behind which port the target is, is not known";
}

TEST_F(OnOneBridgeUntraced, IsNotClaimedWhereFramesDoNotMeetIpsRules) {
  facts.sysctls[{"host", "net/bridge/bridge-nf-call-iptables"}] = "0";
  EXPECT_FALSE(recognise());
}

TEST_F(OnOneBridgeUntraced, IsNotClaimedWhereItCameToItsTarget) {
  testing::see(question, Leg::forward, "container-two", "eth0", traffic::Direction::in, "192.168.99.11",
               "192.168.99.12");
  EXPECT_FALSE(recognise());
}

TEST_F(BridgeNetfilter, IsNotClaimedOfWhatLeavesByAnUplink) {
  facts.sysctls[{"host", "net/bridge/bridge-nf-call-iptables"}] = "1";
  const Chain& held = forward("drop", {});
  meet(at_forward(), held, 0, "drop");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
