#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind forward_rule_order_cause();

namespace {

using testing::says;

class ForwardRuleOrder : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return forward_rule_order_cause().recognise(question, facts); }
};

TEST_F(ForwardRuleOrder, IsAnExceptionBehindTheRuleThatItExceptsFrom) {
  const Chain& held =
      forward("drop", {"iifname \"bridge0\" ip daddr 203.0.113.0/24 counter packets 4 bytes 9 reject",
                       "iifname \"bridge0\" ip daddr 203.0.113.80 tcp dport 80 accept"});
  meet(at_forward(), held, 0, "reject");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_TRUE(says(finding->evidence, "comes too late: rule of host's inet filter forward (handle 6)"));
  EXPECT_TRUE(says(finding->evidence, "whatever that one would accept"));
}

TEST_F(ForwardRuleOrder, IsAnAcceptOfAnswersBehindADrop) {
  comes_to_host();
  goes_out("192.168.16.10");
  answered("192.168.16.10");
  const Chain& held = forward("drop", {"iifname \"ens4\" drop", "ct state established,related accept"});
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 0, "drop");
  EXPECT_TRUE(recognise());
}

TEST_F(ForwardRuleOrder, IsNotClaimedOfTheGeneralRuleBehindADenial) {
  const Chain& held = forward("drop", {"iifname \"bridge0\" ip daddr 203.0.113.0/24 reject",
                                       "iifname \"bridge0\" oifname \"ens4\" accept", "accept"});
  meet(at_forward(), held, 0, "reject");
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardRuleOrder, IsNotClaimedWhereTheLaterRuleIsAboutOthersOrNotUnderstood) {
  const Chain& held =
      forward("drop", {"ip daddr 203.0.113.0/24 reject", "ip daddr 203.0.113.80 tcp dport 81 accept",
                       "ip daddr 203.0.113.80 tcp dport @ports accept"});
  meet(at_forward(), held, 0, "reject");
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardRuleOrder, IsADenialBehindAnAccept) {
  question.promise = Case::Promise::deny;
  question.guard = "host";
  question.outcome.status = traffic::ProbeOutcome::Status::replied;
  comes_to_host();
  const Chain& held = forward("drop", {"iifname \"bridge0\" oifname \"ens4\" accept",
                                       "iifname \"bridge0\" ip daddr 203.0.113.0/24 reject"});
  meet(at_forward(), held, 0, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule inet filter forward handle 5 iifname bridge0 oifname ens4 ip "
                              "daddr 203.0.113.80 tcp dport 80 reject"});
}

TEST_F(ForwardRuleOrder, IsNotTheCatchAllBehindAnAccept) {
  question.promise = Case::Promise::deny;
  question.guard = "host";
  question.outcome.status = traffic::ProbeOutcome::Status::replied;
  const Chain& held = forward("drop", {"iifname \"bridge0\" oifname \"ens4\" accept", "drop"});
  meet(at_forward(), held, 0, "accept");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
