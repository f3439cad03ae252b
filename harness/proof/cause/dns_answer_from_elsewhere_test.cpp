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
  chain.name = "PREROUTING";
  chain.rules.push_back({7, "udp dport 53 dnat to 198.51.100.53", {}, std::nullopt});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "The question to lan-resolver (192.168.16.53) was answered by public-resolver, because host turns it "
      "to 198.51.100.53.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"iptables -t nat -D PREROUTING 1  # on host"});
}

TEST_F(DnsAnswerFromElsewhere, IsNotClaimedOfTheServersOwn) {
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_FALSE(recognise());
}

TEST_F(DnsAnswerFromElsewhere, IsNotClaimedOfSilence) {
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "198.51.100.53");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
