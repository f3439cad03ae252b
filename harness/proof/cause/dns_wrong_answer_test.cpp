#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_wrong_answer_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsWrongAnswer : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_wrong_answer_cause().recognise(question, facts); }
};

TEST_F(DnsWrongAnswer, IsProvenByOtherAddresses) {
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  question.dns->addresses = {ip("203.0.113.80")};
  question.expected = {ip("203.0.113.81")};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "lan-resolver (192.168.16.53) answers 203.0.113.80 for www.example.test, not 203.0.113.81.");
}

TEST_F(DnsWrongAnswer, IsProvenByNoneAtAll) {
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_TRUE(recognise());
}

TEST_F(DnsWrongAnswer, IsNotClaimedOfTheRightAnswerOrOfAnothers) {
  asked();
  outcome(DnsStatus::answered, Status::replied);
  question.dns->addresses = question.expected = {ip("203.0.113.80")};
  answered();
  EXPECT_FALSE(recognise());
  question.expected = {ip("203.0.113.81")};
  question.journey.sightings.back().node = "public-resolver";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
