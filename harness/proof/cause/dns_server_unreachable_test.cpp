#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_server_unreachable_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsServerUnreachable : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_server_unreachable_cause().recognise(question, facts); }
};

TEST_F(DnsServerUnreachable, IsSaidOfAQuestionThatNeverCame) {
  testing::see(question, Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11",
               "192.168.16.53");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "container-one's question never came to its DNS server lan-resolver (192.168.16.53).");
  EXPECT_EQ(finding->evidence.front(), "it was last seen at container-one:eth0");
}

TEST_F(DnsServerUnreachable, IsSaidAfterWhateverIsDeeper) {
  EXPECT_EQ(dns_server_unreachable_cause().depth, CauseKind::Depth::outcome);
}

TEST_F(DnsServerUnreachable, IsNotClaimedOfAServerThatHasTheQuestion) {
  asked();
  EXPECT_FALSE(recognise());
}

TEST_F(DnsServerUnreachable, IsNotClaimedOfAnAnswer) {
  asked();
  answered();
  outcome(DnsStatus::name_error, Status::replied);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
