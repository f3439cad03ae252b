#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind hairpin_off_cause();

namespace {

using testing::ip;
using traffic::Direction;

class HairpinOff : public testing::Ways {
 protected:
  HairpinOff() {
    question.to = ip("192.168.16.10");
    question.to_node = "host";
    question.protocol = traffic::Protocol::tcp;
    question.port = 8080;
    facts.sysctls[{"host", "net/bridge/bridge-nf-call-iptables"}] = "1";
    kernel::netlink::Link& port = facts.links["host:veth1"];
    port.up = true;
    port.port.emplace();
    see(Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", "192.168.16.10");
    see(Leg::forward, "host", "veth1", Direction::in, "192.168.99.11", "192.168.16.10");
  }
  void translate() {
    Translation& known = question.kernel.translations.emplace_back();
    known.node = "host";
    known.original.destination = ip("192.168.16.10");
    known.reply.source = ip("192.168.99.11");
    known.destination_translated = true;
  }
  std::optional<Finding> recognise() { return hairpin_off_cause().recognise(question, facts); }
};

TEST_F(HairpinOff, IsClaimedOfAPortThatGivesNothingBack) {
  translate();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "container-one asks for itself by 192.168.16.10, and host's port veth1 does not send a frame "
            "back where it "
            "came from (hairpin mode is off).");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set dev veth1 type bridge_slave hairpin on"});
}

TEST_F(HairpinOff, IsNotClaimedWhereThePortHasHairpinMode) {
  translate();
  facts.links["host:veth1"].port->hairpin = true;
  EXPECT_FALSE(recognise());
}

TEST_F(HairpinOff, IsNotClaimedWhereTheBridgeDoesNotTranslate) {
  translate();
  facts.sysctls[{"host", "net/bridge/bridge-nf-call-iptables"}] = "0";
  EXPECT_FALSE(recognise());
}

TEST_F(HairpinOff, IsNotClaimedOfWhatIsTurnedToLoopback) {
  facts.network.find("container-one")
      ->interfaces.front()
      .addresses.push_back(InterfaceAddress::parse("127.0.0.1/8").value());
  translate();
  question.kernel.translations.back().reply.source = ip("127.0.0.1");
  EXPECT_FALSE(recognise()) << "the host's own, not the container's";
}

TEST_F(HairpinOff, IsNotClaimedWithoutATranslation) {
  EXPECT_FALSE(recognise());
}

TEST_F(HairpinOff, IsProvenWhereTheSendersOwnAddressComesBackToIt) {
  translate();
  facts.links["host:veth1"].port->hairpin = true;
  see(Leg::forward, "host", "veth1", Direction::out, "192.168.99.11", "192.168.99.11");
  see(Leg::forward, "container-one", "eth0", Direction::in, "192.168.99.11", "192.168.99.11");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"iptables -t nat -A POSTROUTING -s 192.168.99.0/24 -d "
                                                   "192.168.99.0/24 -j MASQUERADE"});
}

}  // namespace
}  // namespace plumbline::proof
