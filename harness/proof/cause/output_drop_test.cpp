#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind output_drop_cause();

namespace {

using testing::says;

class OutputDrop : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return output_drop_cause().recognise(question, facts); }
};

Chain& output_of_container(testing::FakeFacts& facts) {
  Chain& held = facts.chains_of["container-one"].emplace_back();
  held.family = "ip";
  held.table = "guard";
  held.name = "output";
  held.type = "filter";
  held.hook = Hook::output;
  held.policy = "drop";
  return held;
}

TEST_F(OutputDrop, SaysOnWhichNodeTheFixIsTyped) {
  const Chain& held = output_of_container(facts);
  Passage& passage =
      testing::pass(question, "container-one", Hook::output, Leg::forward, "192.168.99.11", "203.0.113.80");
  passage.oif = "eth0";
  meet(passage, held, 0, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft add rule ip guard output oifname eth0 ip daddr 203.0.113.80 tcp dport 80 "
                              "accept  # on container-one"});
}

TEST_F(OutputDrop, IsLikelyWhereTheSendWasRefusedAndTheRulesLeaveNothingElse) {
  question.outcome.status = traffic::ProbeOutcome::Status::local_error;
  question.outcome.error_number = 1;  // EPERM
  facts.routes["container-one 203.0.113.80"].dev = "eth0";
  EXPECT_FALSE(recognise());
  output_of_container(facts);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  question.outcome.error_number = 101;  // ENETUNREACH
  EXPECT_FALSE(recognise());
}

TEST_F(OutputDrop, IsNotClaimedOfWhatIsForwarded) {
  const Chain& held = forward("drop", {});
  meet(at_forward(), held, 0, "drop");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
