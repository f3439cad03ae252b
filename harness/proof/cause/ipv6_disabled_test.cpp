#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind ipv6_disabled_cause();

namespace {

using kernel::netlink::NeighbourState;
using testing::ip;

class Ipv6Disabled : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return ipv6_disabled_cause().recognise(question, facts); }
};

class OverIpv6 : public Ipv6Disabled {
 protected:
  OverIpv6() {
    ask("fd00:99::12", "container-two");
    question.outcome.identity.source = ip("fd00:99::11");
  }
};

TEST_F(OverIpv6, IsProvenOfASenderWithoutIt) {
  facts.sysctls[{"container-one", "net/ipv6/conf/eth0/disable_ipv6"}] = "1";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "IPv6 is switched off on container-one:eth0.");
  EXPECT_EQ(finding->fix.front(), "sysctl -w net/ipv6/conf/eth0/disable_ipv6=0  # on container-one");
}

TEST_F(OverIpv6, IsLikelyOfATargetThatLostItsAddressWithIt) {
  route("container-one", "fd00:99::12", "eth0");
  neighbour("container-one", "eth0", "fd00:99::12", NeighbourState::incomplete);
  facts.sysctls[{"container-two", "net/ipv6/conf/eth0/disable_ipv6"}] = "1";
  interface("container-two", "eth0").addresses.pop_back();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
}

TEST_F(OverIpv6, IsLikelyWhileAnAddressIsTentative) {
  interface("container-one", "eth0").tentative = {ip("fd00:99::11")};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
}

TEST_F(OverIpv6, IsNotClaimedWhereItIsOn) {
  route("container-one", "fd00:99::12", "eth0");
  neighbour("container-one", "eth0", "fd00:99::12", NeighbourState::incomplete);
  EXPECT_FALSE(recognise());
}

TEST_F(Ipv6Disabled, IsNotClaimedOverIpv4) {
  facts.sysctls[{"container-one", "net/ipv6/conf/eth0/disable_ipv6"}] = "1";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
