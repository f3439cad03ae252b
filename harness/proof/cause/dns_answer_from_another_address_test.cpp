#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_answer_from_another_address_cause();

namespace {

using testing::see;
using traffic::Direction;

class DnsAnswerFromAnotherAddress : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() {
    return dns_answer_from_another_address_cause().recognise(question, facts);
  }
};

TEST_F(DnsAnswerFromAnotherAddress, IsProvenByAnotherSource) {
  asked();
  see(question, Leg::reply, "lan-resolver", "eth0", Direction::out, "192.168.16.54", "192.168.16.10");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "lan-resolver (192.168.16.53) was asked, and answered from 192.168.16.54: container-one takes no "
            "answer from there.");
}

TEST_F(DnsAnswerFromAnotherAddress, IsProvenByAnotherPort) {
  asked();
  traffic::UdpHeader udp;
  udp.source_port = 4000;
  udp.destination_port = 53;
  question.journey.sightings.back().packet.transport = udp;
  answered();
  udp.source_port = 5300;
  udp.destination_port = 4000;
  question.journey.sightings.back().packet.transport = udp;
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->evidence.back(),
            "the answer left by lan-resolver:eth0 from 192.168.16.53 port 5300");
}

TEST_F(DnsAnswerFromAnotherAddress, IsNotClaimedOfTheOneThatWasAskedOrOfNoAnswer) {
  asked();
  EXPECT_FALSE(recognise());
  answered();
  EXPECT_FALSE(recognise()) << "it was lost on its way";
}

}  // namespace
}  // namespace plumbline::proof
