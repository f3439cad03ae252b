#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind service_silent_cause();

namespace {

using Status = traffic::ProbeOutcome::Status;

class ServiceSilent : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return service_silent_cause().recognise(question, facts); }
};

TEST_F(ServiceSilent, IsLikelyOfAQuestionThatCameAndGotNoAnswer) {
  asked();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->summary, "lan-resolver (192.168.16.53) got the probe to port 53 and never answered.");
}

TEST_F(ServiceSilent, IsProvenWhereTheServiceHasReadIt) {
  asked();
  question.promise = Case::Promise::reach;
  question.protocol = traffic::Protocol::udp;
  question.delivered_to = "lan-resolver";
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
  question.delivered_to.clear();
  EXPECT_FALSE(recognise()) << "its kernel may have dropped it";
}

TEST_F(ServiceSilent, IsProvenOfAConnectionThatStaysSilent) {
  asked();
  question.promise = Case::Promise::reach;
  question.protocol = traffic::Protocol::tcp;
  question.outcome.status = Status::no_answer;
  answered();
  traffic::TcpHeader shake;
  shake.syn = shake.ack = true;
  question.journey.sightings.back().packet.transport = shake;
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
  EXPECT_EQ(recognise()->fix.front(), "ss -lntp 'sport = :53'  # on lan-resolver");
  question.outcome.error_number = 104;
  EXPECT_FALSE(recognise()) << "it was reset";
}

TEST_F(ServiceSilent, IsNotClaimedWhereTheAnswerToAHandshakeLeft) {
  asked();
  question.promise = Case::Promise::reach;
  question.protocol = traffic::Protocol::tcp;
  question.delivered_to = "lan-resolver";
  answered();
  traffic::TcpHeader shake;
  shake.syn = shake.ack = true;
  question.journey.sightings.back().packet.transport = shake;
  EXPECT_FALSE(recognise());
}

TEST_F(ServiceSilent, TakesNoEndOfTheConnectionForAnAnswerOnceTheAskerHasEndedIt) {
  question.dns_over_tcp = true;
  traffic::TcpHeader end;
  end.fin = true;
  asked();
  answered();
  question.journey.sightings.back().packet.transport = end;
  EXPECT_FALSE(recognise());
  question.journey.sightings.pop_back();
  asked();
  question.journey.sightings.back().packet.transport = end;
  answered();
  question.journey.sightings.back().packet.transport = end;
  EXPECT_TRUE(recognise());
}

TEST_F(ServiceSilent, IsNotClaimedOfAnAnswerOrARefusalOrOfAProbeThatNeverCame) {
  EXPECT_FALSE(recognise());
  asked();
  answered();
  EXPECT_FALSE(recognise());
  question.journey.sightings.back().leg = Leg::error;
  EXPECT_FALSE(recognise());
}

TEST_F(ServiceSilent, IsNotClaimedWhereTheKernelLetGoOfIt) {
  asked();
  question.kernel.drops.emplace_back();
  EXPECT_FALSE(recognise());
}

TEST_F(ServiceSilent, IsNotClaimedOfAnAnswerThatStillWaitsForAHardwareAddress) {
  asked();
  testing::pass(question, "lan-resolver", Hook::output, Leg::reply, "192.168.16.53", "192.168.16.10");
  EXPECT_FALSE(recognise());
  question.dns_over_tcp = true;
  EXPECT_TRUE(recognise()) << "that was the kernel's own handshake";
}

}  // namespace
}  // namespace plumbline::proof
