#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_tcp_only_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsTcpOnly : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_tcp_only_cause().recognise(question, facts); }
};

TEST_F(DnsTcpOnly, IsProvenWhereTheServerSaysThatNothingListens) {
  asked();
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  question.outcome.icmp = traffic::IcmpError{3, 3, false, ip("192.168.16.53")};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
}

TEST_F(DnsTcpOnly, IsOnlyLikelyWhereARuleOfTheServersMayHaveSaidIt) {
  asked();
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  question.outcome.icmp = traffic::IcmpError{3, 3, false, ip("192.168.16.53")};
  facts.chains_of["lan-resolver"].emplace_back().rules.emplace_back().text = "udp dport 53 reject";
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(DnsTcpOnly, IsNotClaimedOfARefusalOnTheWay) {
  asked();
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  question.outcome.icmp = traffic::IcmpError{3, 3, false, ip("192.168.99.1")};
  EXPECT_FALSE(recognise());
}

TEST_F(DnsTcpOnly, IsNotClaimedOverTcp) {
  question.dns_over_tcp = true;
  asked();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
