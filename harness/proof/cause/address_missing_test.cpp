#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind address_missing_cause();

namespace {

using kernel::netlink::NeighbourState;

class AddressMissing : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return address_missing_cause().recognise(question, facts); }
};

TEST_F(AddressMissing, IsLikelyOfOneOnTheSegmentWithoutAny) {
  ask_in_vain();
  interface("container-two", "eth0").addresses.clear();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip addr add 192.168.99.12/24 dev eth0  # on container-two"});
}

TEST_F(AddressMissing, IsProvenOfASenderWithoutAny) {
  interface("container-one", "eth0").addresses.clear();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "container-one has no IPv4 address.");
}

TEST_F(AddressMissing, IsNotClaimedWhereItIsHeld) {
  ask_in_vain();
  EXPECT_FALSE(recognise());
}

TEST_F(AddressMissing, IsNotClaimedWhereTheInterfaceIsDown) {
  interface("container-one", "eth0").addresses.clear();
  link("container-one:eth0").up = false;
  EXPECT_FALSE(recognise());
}

TEST_F(AddressMissing, IsNotClaimedWhereEverybodyHasAnAddress) {
  ask("192.168.99.77", "");
  route("container-one", "192.168.99.77", "eth0");
  neighbour("container-one", "eth0", "192.168.99.77", NeighbourState::incomplete);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
