#include <gtest/gtest.h>

#include <cerrno>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind connection_reset_cause();

namespace {

using Status = traffic::ProbeOutcome::Status;

class ConnectionReset : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return connection_reset_cause().recognise(question, facts); }
};

class Reset : public ConnectionReset {
 protected:
  Reset() {
    question.promise = Case::Promise::reach;
    question.protocol = traffic::Protocol::tcp;
    question.outcome.status = Status::no_answer;
    question.outcome.error_number = ECONNRESET;
    asked();
    traffic::TcpHeader made;
    made.syn = made.ack = true;
    answered();
    question.journey.sightings.back().packet.transport = made;
  }
  Sighting& reset(const std::string& node) {
    answered(node);
    traffic::TcpHeader no;
    no.rst = true;
    question.journey.sightings.back().packet.transport = no;
    return question.journey.sightings.back();
  }
};

TEST_F(Reset, IsProvenByOneThatTheTargetSentAfterTheHandshake) {
  reset("lan-resolver");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "lan-resolver (192.168.16.53) accepted the connection to port 53, and then reset it.");
}

TEST_F(Reset, IsNotClaimedOfOneThatSomebodyElseSent) {
  reset("host");
  EXPECT_FALSE(recognise());
}

TEST_F(Reset, IsNotClaimedOfAPortThatIsClosed) {
  question.journey.sightings.pop_back();
  reset("lan-resolver");
  EXPECT_FALSE(recognise()) << "no handshake";
}

TEST_F(Reset, IsLikelyWhereARuleOfTheTargetMayHaveMadeIt) {
  reset("lan-resolver");
  Chain& chain = facts.chains_of["lan-resolver"].emplace_back();
  chain.rules.push_back({4, "tcp dport 53 reject with tcp reset", {}, std::nullopt});
  ASSERT_TRUE(recognise());
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

}  // namespace
}  // namespace plumbline::proof
