#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind echo_ignored_cause();

namespace {

using traffic::Direction;

class EchoIgnored : public testing::Ways {
 protected:
  EchoIgnored() {
    question.protocol = traffic::Protocol::ping;
    facts.sysctls[{"internet", "net/ipv4/icmp_echo_ignore_all"}] = "1";
  }
  std::optional<Finding> recognise() { return echo_ignored_cause().recognise(question, facts); }
};

TEST_F(EchoIgnored, IsProvenWhereThePingArrivedAndTheSettingIsOn) {
  to_internet();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "internet got the ping and is told to answer none.");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"sysctl -w net.ipv4.icmp_echo_ignore_all=0  # on internet"});
}

TEST_F(EchoIgnored, IsNotClaimedOfAPingThatNeverCame) {
  to_gateway();
  EXPECT_FALSE(recognise());
}

TEST_F(EchoIgnored, IsNotClaimedWhereItAnswered) {
  to_internet();
  see(Leg::reply, "internet", "eth0", Direction::out, "203.0.113.80", "192.168.16.10");
  EXPECT_FALSE(recognise());
}

TEST_F(EchoIgnored, IsNotClaimedOfTcp) {
  question.protocol = traffic::Protocol::tcp;
  to_internet();
  EXPECT_FALSE(recognise());
}

TEST_F(EchoIgnored, IsNotClaimedWhereARuleStoppedIt) {
  to_internet();
  testing::pass(question, "internet", Hook::input, Leg::forward, "192.168.16.10", "203.0.113.80", "drop")
      .rules.emplace_back()
      .verdict = "drop";
  EXPECT_FALSE(recognise());
}

TEST_F(EchoIgnored, IsNotClaimedWhereTheSettingIsOff) {
  facts.sysctls[{"internet", "net/ipv4/icmp_echo_ignore_all"}] = "0";
  to_internet();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
