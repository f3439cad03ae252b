#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind duplicate_mac_cause();

namespace {

class DuplicateMac : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return duplicate_mac_cause().recognise(question, facts); }
};

TEST_F(DuplicateMac, IsProvenOfTheTwoEndsOfAHop) {
  ask_in_vain();
  link("container-two:eth0").mac = link("container-one:eth0").mac;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
}

TEST_F(DuplicateMac, IsNotClaimedOfABridgeAndItsPort) {
  ask_in_vain();
  link("host:bridge0").mac = link("host:veth1").mac;
  EXPECT_FALSE(recognise());
}

TEST_F(DuplicateMac, IsNotClaimedOfAPacketThatNeverSetOut) {
  route("container-one", "192.168.99.12", "eth0");
  link("container-two:eth0").mac = link("container-one:eth0").mac;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
