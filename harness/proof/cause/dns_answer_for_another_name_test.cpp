#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_answer_for_another_name_cause();

namespace {

class DnsAnswerForAnotherName : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() {
    return dns_answer_for_another_name_cause().recognise(question, facts);
  }
  void said(const std::string& name) { question.journey.sightings.back().packet.dns.emplace().name = name; }
};

TEST_F(DnsAnswerForAnotherName, IsProvenByTheNameInTheAnswer) {
  asked();
  answered();
  said("Other.Example.test");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "lan-resolver (192.168.16.53) was asked for www.example.test and answered about Other.Example.test, "
      "which nobody "
      "takes.");
}

TEST_F(DnsAnswerForAnotherName, IsNotClaimedOfTheSameNameInOtherLettersOrOfSilence) {
  asked();
  EXPECT_FALSE(recognise());
  answered();
  said("wWw.eXample.Test");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
