#include <gtest/gtest.h>

#include <chrono>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind answer_too_late_cause();

namespace {

using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class AnswerTooLate : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return answer_too_late_cause().recognise(question, facts); }
};

TEST_F(AnswerTooLate, IsProvenByAnAnswerAfterTheTimeOut) {
  asked();
  answered();
  question.outcome.duration = std::chrono::seconds(1);
  question.journey.sightings.back().time_ns += 1'500'000'000;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "lan-resolver (192.168.16.53) answered after 1.50 s; container-one had waited for 1.00 s.");
}

TEST_F(AnswerTooLate, IsNotClaimedOfAnAnswerInTime) {
  asked();
  answered();
  question.outcome.duration = std::chrono::seconds(1);
  EXPECT_FALSE(recognise()) << "it was lost on its way";
}

TEST_F(AnswerTooLate, IsNotClaimedOfAnAnswerAtOnceToARequestThatCameLate) {
  asked();
  answered();
  question.outcome.duration = std::chrono::seconds(1);
  for (std::size_t i = 1; i < question.journey.sightings.size(); ++i)
    question.journey.sightings[i].time_ns += 1'500'000'000;
  EXPECT_FALSE(recognise());
}

TEST_F(AnswerTooLate, IsNotClaimedOfSilenceOrWhereItWasWaitedFor) {
  asked();
  question.outcome.duration = std::chrono::seconds(1);
  EXPECT_FALSE(recognise());
  answered();
  question.journey.sightings.back().time_ns += 1'500'000'000;
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
