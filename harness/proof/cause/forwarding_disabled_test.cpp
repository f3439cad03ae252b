#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof {

CauseKind forwarding_disabled_cause();

namespace {

using testing::FakeFacts;
using traffic::Direction;

class ForwardingDisabled : public ::testing::Test {
 protected:
  ForwardingDisabled() {
    testing::see(question, Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11",
                 "203.0.113.80");
    testing::see(question, Leg::forward, "host", "veth1", Direction::in, "192.168.99.11", "203.0.113.80");
    network::Node& host = facts.add("host", network::Role::host);
    network::Interface& port = host.interfaces.emplace_back();
    port.name = "veth1";
    port.master = "bridge0";
    facts.sysctls[{"host", "net/ipv4/conf/all/forwarding"}] = "0";
    facts.sysctls[{"host", "net/ipv4/conf/bridge0/forwarding"}] = "0";
  }
  std::optional<Finding> recognise() { return forwarding_disabled_cause().recognise(question, facts); }

  Case question = testing::unanswered();
  FakeFacts facts;
};

TEST_F(ForwardingDisabled, IsProvenByTheSettingOfTheBridgeThatItCameInBy) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "host does not forward IPv4.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"sysctl -w net/ipv4/conf/all/forwarding=1"});
}

TEST_F(ForwardingDisabled, NamesTheInterfaceWhereOnlyThatOneDoesNot) {
  facts.sysctls[{"host", "net/ipv4/conf/all/forwarding"}] = "1";
  EXPECT_EQ(recognise()->summary, "host does not forward IPv4 that comes in by bridge0.");
}

TEST_F(ForwardingDisabled, IsProvenOfAnAnswerThatComesInForTheHostsOwnAddressAndIsTranslatedBack) {
  facts.sysctls[{"host", "net/ipv4/conf/bridge0/forwarding"}] = "1";
  facts.sysctls[{"host", "net/ipv4/conf/all/forwarding"}] = "1";
  facts.sysctls[{"host", "net/ipv4/conf/ens4/forwarding"}] = "0";
  network::Interface& uplink = facts.network.find("host")->interfaces.emplace_back();
  uplink.name = "ens4";
  uplink.addresses.push_back(*InterfaceAddress::parse("192.168.16.10/24"));
  network::Interface& eth0 = facts.add("container-one", network::Role::container).interfaces.emplace_back();
  eth0.name = "eth0";
  eth0.addresses.push_back(*InterfaceAddress::parse("192.168.99.11/24"));
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "203.0.113.80", 63);
  testing::see(question, Leg::forward, "internet", "eth0", Direction::in, "192.168.16.10", "203.0.113.80",
               62);
  testing::see(question, Leg::reply, "internet", "eth0", Direction::out, "203.0.113.80", "192.168.16.10");
  testing::see(question, Leg::reply, "host", "ens4", Direction::in, "203.0.113.80", "192.168.16.10", 63);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "host does not forward IPv4 that comes in by ens4.");
}

TEST_F(ForwardingDisabled, IsNotClaimedWhereForwardingIsOn) {
  facts.sysctls[{"host", "net/ipv4/conf/bridge0/forwarding"}] = "1";
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardingDisabled, IsNotClaimedOfAPacketThatLeft) {
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "203.0.113.80", 63);
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardingDisabled, IsNotClaimedWhereARuleDroppedIt) {
  Passage& passage =
      testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.99.11", "203.0.113.80", "drop");
  passage.rules.emplace_back().verdict = "drop";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
