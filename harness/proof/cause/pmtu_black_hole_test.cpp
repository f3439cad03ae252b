#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind pmtu_black_hole_cause();

namespace {

using testing::ip;
using traffic::Direction;

class PmtuBlackHole : public testing::Ways {
 protected:
  PmtuBlackHole() {
    for (const char* end : {"veth1", "bridge0", "ens4", "ens5"}) mtu("host", end, 1500);
    mtu("gateway", "lan", 1500);
    mtu("gateway", "wan", 1500);
    mtu("internet", "eth0", 1500);
    question.payload_bytes = 1400;
  }
  std::optional<Finding> recognise() {
    for (Sighting& sighting : question.journey.sightings) {
      if (sighting.packet.ip->total_length != 0) continue;
      sighting.packet.ip->dont_fragment = true;
      sighting.packet.ip->total_length = 1428;
    }
    return pmtu_black_hole_cause().recognise(question, facts);
  }
};

TEST_F(PmtuBlackHole, IsProvenOfARuleThatDropsTheError) {
  mtu("gateway", "wan", 1300);
  to_gateway();
  Passage& passage =
      testing::pass(question, "host", Hook::forward, Leg::error, "192.168.16.1", "192.168.99.11", "drop");
  RuleMet& rule = passage.rules.emplace_back();
  rule.family = "inet";
  rule.table = "hole";
  rule.chain = "forward";
  rule.number = 2;
  rule.text = "icmp type destination-unreachable drop";
  rule.verdict = "drop";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule inet hole forward icmp type destination-unreachable icmp code "
                              "frag-needed accept"});
  rule.family = "ip";
  rule.table = "filter";
  rule.chain = "FORWARD";
  EXPECT_EQ(recognise()->fix,
            std::vector<std::string>{
                "iptables -t filter -I FORWARD -p icmp --icmp-type fragmentation-needed -j ACCEPT"});
}

TEST_F(PmtuBlackHole, NamesARuleThatDropsSuchErrorsWhereOneWasLastSeen) {
  mtu("gateway", "wan", 1300);
  to_gateway();
  see(Leg::error, "gateway", "lan", Direction::out, "192.168.16.1", "192.168.16.10");
  traffic::IcmpHeader icmp;
  icmp.type = 3;
  icmp.code = 4;
  icmp.rest = 1300;
  auto quoted = std::make_shared<traffic::Packet>();
  quoted->ip = question.journey.sightings[3].packet.ip;
  icmp.quoted = quoted;
  last().packet.transport = icmp;
  see(Leg::error, "host", "ens4", Direction::in, "192.168.16.1", "192.168.16.10");
  last().packet.transport = icmp;
  Chain& chain = facts.chains_of["host"].emplace_back();
  chain.family = "ip";
  chain.table = "filter";
  chain.name = "FORWARD";
  chain.type = "filter";
  chain.hook = Hook::forward;
  chain.rules.push_back({4, "meta l4proto icmp counter drop", "", std::nullopt});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{
                "iptables -t filter -I FORWARD -p icmp --icmp-type fragmentation-needed -j ACCEPT"});
}

TEST_F(PmtuBlackHole, IsProvenOfARouterThatSaysNothing) {
  mtu("gateway", "wan", 1300);
  to_gateway();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set dev wan mtu 1428  # on gateway"});
}

TEST_F(PmtuBlackHole, IsLikelyAtTheNarrowEndOfACable) {
  mtu("host", "veth1", 1300);
  see(Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", "203.0.113.80");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set dev veth1 mtu 1428"});
}

TEST_F(PmtuBlackHole, IsNotClaimedWhereThePacketFits) {
  to_gateway();
  EXPECT_FALSE(recognise());
}

TEST_F(PmtuBlackHole, IsNotClaimedOfAPacketThatMayBeFragmented) {
  mtu("gateway", "wan", 1300);
  to_gateway();
  last().packet.ip->total_length = 1428;
  EXPECT_FALSE(recognise());
}

TEST_F(PmtuBlackHole, IsNotClaimedWhereTheSenderWasTold) {
  mtu("gateway", "wan", 1300);
  to_gateway();
  question.outcome.status = traffic::ProbeOutcome::Status::icmp_error;
  EXPECT_FALSE(recognise());
}

TEST_F(PmtuBlackHole, IsNotClaimedWhereARuleDroppedThePacket) {
  mtu("gateway", "wan", 1300);
  to_gateway();
  Passage& passage = testing::pass(question, "gateway", Hook::forward, Leg::forward, "192.168.16.10",
                                   "203.0.113.80", "drop");
  passage.rules.emplace_back().verdict = "drop";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
