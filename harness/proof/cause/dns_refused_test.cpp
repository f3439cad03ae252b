#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_refused_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsRefused : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_refused_cause().recognise(question, facts); }
};

TEST_F(DnsRefused, IsProvenByTheServersOwnWord) {
  asked();
  answered();
  outcome(DnsStatus::refused, Status::replied);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "lan-resolver (192.168.16.53) answers REFUSED for www.example.test: it does not answer questions of "
      "this client.");
  EXPECT_EQ(finding->evidence.back(), "the server was asked by 192.168.16.10");
}

TEST_F(DnsRefused, IsNotClaimedWhereAnotherAnswered) {
  asked();
  answered("public-resolver");
  outcome(DnsStatus::refused, Status::replied);
  EXPECT_FALSE(recognise());
}

TEST_F(DnsRefused, IsNotClaimedOfSilenceOrAddresses) {
  EXPECT_FALSE(recognise());
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
