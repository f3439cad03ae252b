#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind arp_unanswered_cause();

namespace {

using kernel::netlink::NeighbourState;

class ArpUnanswered : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return arp_unanswered_cause().recognise(question, facts); }
};

TEST_F(ArpUnanswered, IsProvenWhereTheHolderDoesNoArp) {
  ask_in_vain();
  link("container-two:eth0").arp = false;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set eth0 arp on  # on container-two"});
}

TEST_F(ArpUnanswered, IsProvenWhereTheSenderDoesNoArp) {
  route("container-one", "192.168.99.12", "eth0");
  neighbour("container-one", "eth0", "192.168.99.12", NeighbourState::noarp);
  link("container-one:eth0").arp = false;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  facts.neighbours_of.clear();  // thrown out meanwhile
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
}

TEST_F(ArpUnanswered, IsProvenByArpIgnore) {
  ask_in_vain();
  facts.sysctls[{"container-two", "net/ipv4/conf/all/arp_ignore"}] = "8";
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
  facts.sysctls[{"container-two", "net/ipv4/conf/all/arp_ignore"}] = "1";
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(ArpUnanswered, IsProvenByAWayBackInATableThatRpFilterGoesBy) {
  ask_in_vain();
  facts.sysctls[{"container-two", "net/ipv4/conf/eth0/rp_filter"}] = "1";
  route("container-two", "192.168.99.11", "eth1");
  facts.routes["container-two 192.168.99.11"].table = 77;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "ip route replace 192.168.99.0/24 dev eth0 table 77  # on container-two"});
}

TEST_F(ArpUnanswered, NamesARuleThatDropsNeighbourDiscovery) {
  ask("fd00:99::12", "container-two");
  question.outcome.identity.source = testing::ip("fd00:99::11");
  route("container-one", "fd00:99::12", "eth0");
  neighbour("container-one", "eth0", "fd00:99::12", NeighbourState::failed);
  Chain& rules = facts.chains_of["container-two"].emplace_back();
  rules.family = "ip6";
  rules.table = "v";
  rules.name = "p";
  rules.hook = Hook::prerouting;
  rules.rules.push_back({3, "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } drop", "", {}});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"nft -a list chain ip6 v p  # on container-two"});
}

TEST_F(ArpUnanswered, IsNotClaimedWhereItIsAnswered) {
  route("container-one", "192.168.99.12", "eth0");
  neighbour("container-one", "eth0", "192.168.99.12", NeighbourState::reachable);
  EXPECT_FALSE(recognise());
}

TEST_F(ArpUnanswered, IsNotClaimedWhereTheWayIsBroken) {
  ask_in_vain();
  link("host:veth2").up = false;
  EXPECT_FALSE(recognise());
}

TEST_F(ArpUnanswered, IsNotClaimedBetweenIsolatedPortsOrTwins) {
  ask_in_vain();
  link("host:veth1").port->isolated = link("host:veth2").port->isolated = true;
  EXPECT_FALSE(recognise());
  link("host:veth1").port->isolated = false;
  link("container-two:eth0").mac = link("container-one:eth0").mac;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
