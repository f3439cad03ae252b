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

TEST_F(DnsWrongAnswer, OfAnEnginesOwnServerItTellsWhomThatAsked) {
  question.to = ip("127.0.0.11");
  question.to_node = "container-one";
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "192.168.16.53");
  testing::see(question, Leg::reply, "host", "ens4", Direction::in, "192.168.16.53", "192.168.16.10");
  testing::see(question, Leg::reply, "container-one", "lo", Direction::in, "127.0.0.11", "127.0.0.1");
  outcome(DnsStatus::answered, Status::replied);
  question.dns->addresses = {ip("203.0.113.80")};
  question.expected = {ip("203.0.113.81")};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->evidence.back(), "it asked 192.168.16.53 in turn, as host:ens4 shows");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"dig @127.0.0.11 www.example.test  # on container-one: then correct the "
                                     "zone, or `expect:` in the spec"});
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
