#include <gtest/gtest.h>

#include <cerrno>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_truncated_cause();

namespace {

using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsTruncated : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_truncated_cause().recognise(question, facts); }
};

TEST_F(DnsTruncated, IsProvenByItsMark) {
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  question.dns->truncated = true;
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
  EXPECT_EQ(recognise()->summary,
            "lan-resolver (192.168.16.53)'s answer over UDP is truncated, to be asked for over TCP.");
}

TEST_F(DnsTruncated, SaysHowTheQuestionFaredOverTcp) {
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  question.dns->truncated = true;
  question.dns_otherwise.emplace().status = DnsStatus::refused_connection;
  question.dns_otherwise->error_number = ECONNREFUSED;
  EXPECT_EQ(recognise()->summary,
            "lan-resolver (192.168.16.53)'s answer over UDP is truncated, and over TCP there is no answer "
            "either.");
  EXPECT_EQ(recognise()->evidence.back(), "asked over TCP afterwards: connection refused");
  EXPECT_EQ(recognise()->fix.front(), "ss -lntp 'sport = :53'  # on lan-resolver");
  question.dns_otherwise->status = DnsStatus::answered;
  EXPECT_EQ(recognise()->summary,
            "lan-resolver (192.168.16.53)'s answer over UDP is truncated; over TCP the answer is whole.");
}

TEST_F(DnsTruncated, IsNotClaimedOfAWholeAnswerOrOfAnErrorOrSilence) {
  EXPECT_FALSE(recognise());
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_FALSE(recognise());
  outcome(DnsStatus::refused, Status::replied);
  question.dns->truncated = true;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
