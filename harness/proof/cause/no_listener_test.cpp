#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind no_listener_cause();

namespace {

using testing::ip;
using traffic::Direction;

class NoListener : public testing::Ways {
 protected:
  NoListener() {
    question.protocol = traffic::Protocol::tcp;
    question.port = 81;
    question.outcome.status = traffic::ProbeOutcome::Status::refused;
  }
  void reset(const std::string& node, const std::string& interface) {
    see(Leg::reply, node, interface, Direction::out, "203.0.113.80", "192.168.16.10");
    traffic::TcpHeader tcp;
    tcp.rst = true;
    last().packet.transport = tcp;
  }
  std::optional<Finding> recognise() { return no_listener_cause().recognise(question, facts); }
};

TEST_F(NoListener, IsProvenByAResetOfTheTargetItself) {
  to_internet();
  reset("internet", "eth0");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "Nothing listens on TCP port 81 of internet (203.0.113.80).");
  EXPECT_EQ(finding->fix, (std::vector<std::string>{"ss -lntp 'sport = :81'  # on internet"}));
}

TEST_F(NoListener, IsProvenByPortUnreachableOfTheTargetItself) {
  question.protocol = traffic::Protocol::udp;
  question.outcome.status = traffic::ProbeOutcome::Status::icmp_error;
  question.outcome.icmp = traffic::IcmpError{3, 3, false, ip("203.0.113.80")};
  to_internet();
  see(Leg::error, "internet", "eth0", Direction::out, "203.0.113.80", "192.168.16.10");
  traffic::IcmpHeader icmp;
  icmp.type = 3;
  icmp.code = 3;
  last().packet.transport = icmp;
  EXPECT_TRUE(recognise());
}

TEST_F(NoListener, IsNotClaimedOfAResetOnTheWay) {
  to_host();
  reset("host", "bridge0");
  EXPECT_FALSE(recognise());
}

TEST_F(NoListener, IsNotClaimedWhereARuleOfTheTargetRejected) {
  to_internet();
  reset("internet", "eth0");
  Passage& passage = testing::pass(question, "internet", Hook::input, Leg::forward, "192.168.16.10",
                                   "203.0.113.80", "reject");
  passage.rules.emplace_back().verdict = "reject";
  EXPECT_FALSE(recognise());
}

TEST_F(NoListener, IsNotClaimedWhereARuleMayHaveRejectedUnseen) {
  to_internet();
  reset("internet", "eth0");
  Chain& chain = facts.chains_of["internet"].emplace_back();
  chain.rules.emplace_back().text = "tcp dport 81 reject with tcp reset";
  EXPECT_FALSE(recognise());
}

TEST_F(NoListener, IsNotClaimedOfSilence) {
  question.outcome.status = traffic::ProbeOutcome::Status::timeout;
  to_internet();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
