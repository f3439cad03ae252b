#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_answer_from_elsewhere_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsAnswerFromElsewhere : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_answer_from_elsewhere_cause().recognise(question, facts); }
};

TEST_F(DnsAnswerFromElsewhere, IsProvenOfAnAnswerOfAnotherNode) {
  testing::see(question, Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11",
               "192.168.16.53");
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "198.51.100.53");
  answered("public-resolver");
  outcome(DnsStatus::answered, Status::replied);
  Chain& chain = facts.chains_of["host"].emplace_back();
  chain.family = "ip";
  chain.table = "nat";
  chain.type = "nat";
  chain.name = "PREROUTING";
  chain.hook = Hook::prerouting;
  chain.rules.push_back({6, "udp dport 5353 dnat to 172.17.0.2:53", {}, std::nullopt});
  chain.rules.push_back({7, "udp dport 53 dnat to 198.51.100.53", {}, std::nullopt});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "The question to lan-resolver (192.168.16.53) was answered by public-resolver, because host turns it "
      "to 198.51.100.53.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"iptables-nft -t nat -D PREROUTING 2  # on host"});
}

TEST_F(DnsAnswerFromElsewhere, IsNotClaimedOfTheServersOwn) {
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_FALSE(recognise());
}

TEST_F(DnsAnswerFromElsewhere, IsNotClaimedOfAnEnginesOwnServerThatAsksOn) {
  question.to = ip("127.0.0.11");
  question.to_node = "container-one";
  testing::see(question, Leg::forward, "container-one", "lo", Direction::in, "127.0.0.1", "127.0.0.11");
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "192.168.16.53");
  testing::see(question, Leg::reply, "host", "ens4", Direction::in, "192.168.16.53", "192.168.16.10");
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_TRUE(recognise()) << "nothing of its own answer was seen";
  testing::see(question, Leg::reply, "container-one", "lo", Direction::in, "127.0.0.11", "127.0.0.1");
  EXPECT_FALSE(recognise());
}

TEST_F(DnsAnswerFromElsewhere, IsNotClaimedOfSilence) {
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "198.51.100.53");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
