#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind missing_accept_for_replies_cause();

namespace {

using testing::says;

class MissingAcceptForReplies : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return missing_accept_for_replies_cause().recognise(question, facts); }
};

TEST_F(MissingAcceptForReplies, IsAnAnswerAtAChainThatKnowsNoConnections) {
  comes_to_host();
  goes_out("192.168.16.10");
  answered("192.168.16.10");
  const Chain& held = forward("drop", {"iifname \"bridge0\" accept"});
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 1, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule inet filter forward ct state established,related accept"});
}

TEST_F(MissingAcceptForReplies, IsNotClaimedOfARuleAboutSomeWhereAllElseMayPass) {
  comes_to_host();
  goes_out("192.168.16.10");
  answered("192.168.16.10");
  const Chain& held = forward("accept", {"numgen inc mod 10 0 drop", "iifname \"ens4\" drop"});
  Passage& passage = at_forward(Leg::reply, "203.0.113.80", "192.168.99.11");
  meet(passage, held, 0, "drop");
  EXPECT_FALSE(recognise());
  passage.rules.clear();
  meet(passage, held, 1, "drop");
  EXPECT_TRUE(recognise());
}

TEST_F(MissingAcceptForReplies, IsNotClaimedOfTheProbeItself) {
  const Chain& held = forward("drop", {});
  meet(at_forward(), held, 0, "drop");
  EXPECT_FALSE(recognise());
}

TEST_F(MissingAcceptForReplies, IsNotClaimedWhereSuchARuleIsThere) {
  comes_to_host();
  goes_out("192.168.16.10");
  answered("192.168.16.10");
  const Chain& held = forward("drop", {"ct state established,related accept"});
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 1, "drop");
  EXPECT_FALSE(recognise());
}

TEST_F(MissingAcceptForReplies, IsNotClaimedWhereARuleIsNotUnderstood) {
  comes_to_host();
  goes_out("192.168.16.10");
  answered("192.168.16.10");
  const Chain& held = chain("ip", "filter", "FORWARD", Hook::forward, "drop",
                            {"-A FORWARD -m conntrack -j ACCEPT"}, RuleMet::Backend::iptables_legacy);
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 1, "drop");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
