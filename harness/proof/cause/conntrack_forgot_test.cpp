#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

CauseKind conntrack_forgot_cause();

namespace {

class ConntrackForgot : public testing::FirewallCase {
 protected:
  ConntrackForgot() {
    question.protocol = traffic::Protocol::udp;
    question.port = 7;
    facts.sysctls[{"host", "net/netfilter/nf_conntrack_udp_timeout"}] = "0";
    comes_to_host();
    goes_out("192.168.16.10");
    answered("192.168.16.10");
  }
  std::optional<Finding> recognise() { return conntrack_forgot_cause().recognise(question, facts); }
};

TEST_F(ConntrackForgot, IsProvenOfAnAnswerThatCameLaterThanTheEntryLives) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "host had forgotten the flow when its answer came, and took it for its own.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"sysctl -w net.netfilter.nf_conntrack_udp_timeout=30"});
}

TEST_F(ConntrackForgot, IsNotClaimedOfAnAnswerInTime) {
  facts.sysctls[{"host", "net/netfilter/nf_conntrack_udp_timeout"}] = "30";
  EXPECT_FALSE(recognise());
}

TEST_F(ConntrackForgot, IsNotClaimedOfAnAnswerThatWentOn) {
  testing::see(question, Leg::reply, "host", "bridge0", traffic::Direction::out, "203.0.113.80",
               "192.168.99.11");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
