#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind ttl_exceeded_cause();

namespace {

using testing::ip;
using traffic::Direction;

class TtlExceeded : public testing::Ways {
 protected:
  void circle(int rounds) {
    to_gateway();
    for (int i = 0; i < rounds; ++i) {
      const auto ttl = static_cast<std::uint8_t>(62 - 2 * i);
      see(Leg::forward, "gateway", "wan", Direction::out, "192.168.16.10", "203.0.113.80", ttl);
      see(Leg::forward, "gateway-two", "wan", Direction::in, "192.168.16.10", "203.0.113.80", ttl);
      see(Leg::forward, "gateway-two", "wan", Direction::out, "192.168.16.10", "203.0.113.80", ttl - 1);
      see(Leg::forward, "gateway", "wan", Direction::in, "192.168.16.10", "203.0.113.80", ttl - 1);
    }
  }
  void expire() {
    question.outcome.status = traffic::ProbeOutcome::Status::icmp_error;
    question.outcome.icmp = traffic::IcmpError{11, 0, false, ip("192.168.16.1")};
  }
  std::optional<Finding> recognise() { return ttl_exceeded_cause().recognise(question, facts); }
};

TEST_F(TtlExceeded, NamesTheRoutersOfALoop) {
  circle(30);
  expire();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "What goes to 203.0.113.80 runs in circles between gateway and gateway-two until its TTL is used up.");
}

TEST_F(TtlExceeded, IsSeenWithoutTheErrorToo) {
  circle(31);
  last().packet.ip->ttl = 1;
  see(Leg::forward, "gateway", "wan", Direction::out, "192.168.16.10", "203.0.113.80", 1);
  EXPECT_TRUE(recognise());
}

TEST_F(TtlExceeded, IsNoLoopWhereTheTtlBeganTooLow) {
  to_gateway();
  expire();
  EXPECT_EQ(recognise()->summary, "The packet's TTL was used up at gateway, before it came to 203.0.113.80.");
}

TEST_F(TtlExceeded, IsNotClaimedOfARoundTrip) {
  circle(2);
  EXPECT_FALSE(recognise());
}

TEST_F(TtlExceeded, IsNotClaimedOfAnotherError) {
  to_gateway();
  expire();
  question.outcome.icmp->type = 3;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
