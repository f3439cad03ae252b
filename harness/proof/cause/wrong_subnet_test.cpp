#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind wrong_subnet_cause();

namespace {

using kernel::netlink::NeighbourState;

class WrongSubnet : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return wrong_subnet_cause().recognise(question, facts); }
};

TEST_F(WrongSubnet, IsProvenOfANodeWithoutRouteWhoseNetworkIsAnother) {
  ask("192.168.99.1", "host");
  interface("container-one", "eth0").addresses = {InterfaceAddress::parse("192.168.98.11/24").value()};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "container-one:eth0 has 192.168.98.11/24, but on its segment host:bridge0 has 192.168.99.1/24: they "
      "have no network in common.");
}

TEST_F(WrongSubnet, IsProvenOfAPrefixThatIsTooShort) {
  ask("192.168.16.53", "lan-resolver");
  interface("container-one", "eth0").addresses = {InterfaceAddress::parse("192.168.99.11/16").value()};
  route("container-one", "192.168.16.53", "eth0");
  neighbour("container-one", "eth0", "192.168.16.53", NeighbourState::failed);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix.at(1), "ip addr add 192.168.99.11/24 dev eth0  # on container-one");
}

TEST_F(WrongSubnet, IsNotClaimedWhereTheNetworksAreTheSame) {
  ask_in_vain();
  EXPECT_FALSE(recognise());
}

TEST_F(WrongSubnet, IsNotClaimedOfASingleAddressWhosePacketsGetToTheRouter) {
  ask("203.0.113.80", "internet");
  interface("container-one", "eth0").addresses = {InterfaceAddress::parse("192.168.99.11/32").value()};
  route("container-one", "203.0.113.80", "eth0", "192.168.99.1");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
