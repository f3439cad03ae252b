#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_udp_only_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsUdpOnly : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_udp_only_cause().recognise(question, facts); }
};

TEST_F(DnsUdpOnly, IsProvenByAResetOfAServerThatServesDns) {
  question.dns_over_tcp = true;
  asked();
  answered();
  outcome(DnsStatus::refused_connection, Status::refused);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "lan-resolver (192.168.16.53) refuses TCP to port 53 with a reset: DNS works over UDP at most.");
}

TEST_F(DnsUdpOnly, IsLikelyWhereTheServerIsSilent) {
  question.dns_over_tcp = true;
  asked();
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(DnsUdpOnly, IsLikelyOfASilentServerWhereNobodyTellsOfDrops) {
  question.dns_over_tcp = true;
  asked();
  question.dns_otherwise.emplace().status = DnsStatus::answered;
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
  question.kernel.drops_problem = "the kernel tells none here";
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(DnsUdpOnly, IsNotClaimedWhereTheServerHasNoWayBack) {
  question.dns_over_tcp = true;
  asked();
  question.dns_otherwise.emplace().status = DnsStatus::answered;
  facts.routes.clear();
  EXPECT_FALSE(recognise());
}

TEST_F(DnsUdpOnly, IsLikelyWhereAFirewallLetsUdpThroughAlone) {
  question.dns_over_tcp = true;
  RuleMet& policy =
      testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.99.11", "192.168.16.53", "drop")
          .rules.emplace_back();
  policy.kind = RuleMet::Kind::policy;
  policy.family = "inet";
  policy.table = "filter";
  policy.chain = "forward";
  policy.verdict = "drop";
  Chain& chain = facts.chains_of["host"].emplace_back();
  chain.family = "inet";
  chain.table = "filter";
  chain.name = "forward";
  chain.rules.push_back({4, "ip daddr 192.168.16.53 udp dport 53 accept", {}, std::nullopt});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{
                "nft insert rule inet filter forward ip daddr 192.168.16.53 tcp dport 53 accept  # on host"});
  chain.rules.clear();
  EXPECT_FALSE(recognise());
}

TEST_F(DnsUdpOnly, IsProvenOfASilentServerThatAnswersOverUdp) {
  question.dns_over_tcp = true;
  asked();
  question.dns_otherwise.emplace().status = DnsStatus::answered;
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
}

TEST_F(DnsUdpOnly, IsNotClaimedWhereUdpFaresNoBetter) {
  question.dns_over_tcp = true;
  asked();
  answered();
  outcome(DnsStatus::refused_connection, Status::refused);
  question.dns_otherwise.emplace().status = DnsStatus::icmp_error;
  EXPECT_FALSE(recognise());
}

TEST_F(DnsUdpOnly, IsNotClaimedOverUdp) {
  asked();
  EXPECT_FALSE(recognise());
}

TEST_F(DnsUdpOnly, IsNotClaimedOfANodeWithoutDns) {
  question.dns_over_tcp = true;
  facts.network.find("lan-resolver")->services.clear();
  asked();
  answered();
  outcome(DnsStatus::refused_connection, Status::refused);
  EXPECT_FALSE(recognise());
}

TEST_F(DnsUdpOnly, IsNotClaimedOfAQuestionThatNeverCame) {
  question.dns_over_tcp = true;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
