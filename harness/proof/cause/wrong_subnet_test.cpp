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

TEST_F(WrongSubnet, BlamesTheBridgeWhoseAnswersLeaveByTheDefaultRoute) {
  ask("192.168.99.1", "host");
  interface("host", "bridge0").addresses = {InterfaceAddress::parse("192.168.99.1/29").value()};
  route("container-one", "192.168.99.1", "eth0");
  route("host", "192.168.99.11", "ens4", "192.168.16.1");
  testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11",
               "192.168.99.1");
  testing::see(question, Leg::forward, "host", "bridge0", traffic::Direction::in, "192.168.99.11",
               "192.168.99.1");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "host:bridge0 has the wrong prefix length: 192.168.99.1/29, where container-one:eth0 on the same "
            "segment has 192.168.99.11/24.");
  EXPECT_EQ(finding->fix, (std::vector<std::string>{"ip addr del 192.168.99.1/29 dev bridge0  # on host",
                                                    "ip addr add 192.168.99.1/24 dev bridge0  # on host"}));
}

TEST_F(WrongSubnet, IsWhyNobodyHearsOfARejection) {
  question.promise = Case::Promise::deny;
  question.how = "reject";
  ask("10.1.2.3", "");
  interface("host", "bridge0").addresses = {InterfaceAddress::parse("192.168.99.1/29").value()};
  route("container-one", "10.1.2.3", "eth0", "192.168.99.1");
  testing::see(question, Leg::forward, "host", "bridge0", traffic::Direction::in, "192.168.99.11",
               "10.1.2.3");
  route("host", "192.168.99.11", "ens4", "192.168.16.1");
  EXPECT_FALSE(recognise());
  Passage& passage =
      testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.99.11", "10.1.2.3", "reject");
  passage.rules.emplace_back().verdict = "reject";
  EXPECT_TRUE(recognise());
}

TEST_F(WrongSubnet, IsWhyAContainersPacketsShowOnAnUplink) {
  question = Case();
  question.promise = Case::Promise::silent;
  question.host = "host";
  question.via = "ens4";
  testing::see(question, Leg::forward, "host", "ens4", traffic::Direction::out, "203.0.113.80",
               "192.168.99.11");
  route("host", "192.168.99.11", "bridge0");
  EXPECT_FALSE(recognise());
  route("host", "192.168.99.11", "ens4", "192.168.16.1");
  interface("host", "bridge0").addresses = {InterfaceAddress::parse("192.168.99.1/32").value()};
  EXPECT_TRUE(recognise());
}

TEST_F(WrongSubnet, BlamesTheContainerWhereAnotherAgreesWithTheBridge) {
  question.from = "host";
  question.outcome.identity.source = testing::ip("192.168.99.1");
  ask("192.168.99.11", "container-one");
  interface("container-one", "eth0").addresses = {InterfaceAddress::parse("192.168.99.11/30").value()};
  route("host", "192.168.99.11", "bridge0");
  route("container-one", "192.168.99.1", "eth0", "192.168.99.9");
  testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::in, "192.168.99.1",
               "192.168.99.11");
  neighbour("container-one", "eth0", "192.168.99.9", NeighbourState::failed);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary.find("container-one:eth0 has the wrong prefix length"), 0U) << finding->summary;
}

TEST_F(WrongSubnet, IsProvenOfABridgeThatLooksThereForWhatIsElsewhere) {
  question.from = "host";
  question.outcome.identity.source = testing::ip("192.168.99.1");
  ask("192.168.44.4", "internal");
  interface("host", "bridge0").addresses = {InterfaceAddress::parse("192.168.99.1/16").value()};
  route("host", "192.168.44.4", "bridge0");
  neighbour("host", "bridge0", "192.168.44.4", NeighbourState::failed);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix.at(1), "ip addr add 192.168.99.1/24 dev bridge0  # on host");
  EXPECT_EQ(finding->fix.size(), 2U);
}

TEST_F(WrongSubnet, IsNotClaimedOfABridgeThatAsksForOneWhoIsGone) {
  question.from = "host";
  question.outcome.identity.source = testing::ip("192.168.99.1");
  ask("192.168.99.77", "");
  route("host", "192.168.99.77", "bridge0");
  neighbour("host", "bridge0", "192.168.99.77", NeighbourState::failed);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
