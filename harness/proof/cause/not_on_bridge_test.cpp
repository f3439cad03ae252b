#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind not_on_bridge_cause();

namespace {

class NotOnBridge : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return not_on_bridge_cause().recognise(question, facts); }
};

TEST_F(NotOnBridge, IsProvenWhereTheHoldersCableEndsBesideTheBridge) {
  ask_in_vain();
  interface("host", "veth2").master.clear();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "host:veth2 is no port of bridge0.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set veth2 master bridge0  # on host"});
}

TEST_F(NotOnBridge, IsProvenWhereThePacketCameInBesideTheBridge) {
  ask("203.0.113.80", "internet");
  interface("host", "veth1").master.clear();
  testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11",
               "203.0.113.80");
  testing::see(question, Leg::forward, "host", "veth1", traffic::Direction::in, "192.168.99.11",
               "203.0.113.80");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "host:veth1 is no port of bridge0.");
}

TEST_F(NotOnBridge, IsNotClaimedWhereItIsAPort) {
  ask_in_vain();
  EXPECT_FALSE(recognise());
}

TEST_F(NotOnBridge, IsNotClaimedOfACableWithItsOwnAddress) {
  ask_in_vain();
  interface("host", "veth2").master.clear();
  interface("host", "veth2").addresses = {InterfaceAddress::parse("192.168.99.2/32").value()};
  EXPECT_FALSE(recognise());
}

TEST_F(NotOnBridge, IsNotClaimedOfAProbeThatWasAnswered) {
  ask_in_vain();
  interface("host", "veth2").master.clear();
  question.outcome.status = traffic::ProbeOutcome::Status::replied;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
