#include "harness/proof/diagnosis/reading.hpp"

#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof {
namespace {

using traffic::Direction;

class DiedInside : public ::testing::Test {
 protected:
  DiedInside() {
    question.from = "container-one";
    question.to_node = "internet";
    seen(Leg::forward, "container-one", Direction::out);
    seen(Leg::forward, "internet", Direction::in);
  }
  void seen(Leg leg, const std::string& node, Direction direction) {
    const bool there = leg == Leg::forward;
    testing::see(question, leg, node, "eth0", direction, there ? "192.0.2.1" : "203.0.113.80",
                 there ? "203.0.113.80" : "192.0.2.1");
    traffic::TcpHeader header;
    header.syn = true;
    header.ack = !there;
    question.journey.sightings.back().packet.transport = header;
  }

  Case question;
};

TEST_F(DiedInside, IsWhereTheAnswerWasSeenLast) {
  seen(Leg::reply, "internet", Direction::out);
  seen(Leg::reply, "host", Direction::in);
  const auto dead = died_inside(question);
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->node, "host");
}

TEST_F(DiedInside, IsNotWhereACopyThatWasSentAgainHasGotUntilNow) {
  seen(Leg::reply, "internet", Direction::out);
  seen(Leg::reply, "gateway", Direction::in);
  seen(Leg::reply, "host", Direction::in);
  seen(Leg::reply, "internet", Direction::out);
  seen(Leg::reply, "gateway", Direction::in);
  const auto dead = died_inside(question);
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->node, "host");
}

TEST_F(DiedInside, IsWhereTheLastPacketEndsThoughOneBeforeItGotFurther) {
  seen(Leg::reply, "internet", Direction::out);
  seen(Leg::reply, "gateway", Direction::in);
  seen(Leg::reply, "container-one", Direction::in);
  seen(Leg::reply, "internet", Direction::out);
  seen(Leg::reply, "gateway", Direction::in);
  for (std::size_t i = question.journey.sightings.size() - 2; i < question.journey.sightings.size(); ++i)
    std::get<traffic::TcpHeader>(question.journey.sightings[i].packet.transport).sequence = 1;
  const auto dead = died_inside(question);
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->node, "gateway");
}

}  // namespace
}  // namespace plumbline::proof
