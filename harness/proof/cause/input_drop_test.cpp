#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind input_drop_cause();

namespace {

using testing::says;

class InputDrop : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return input_drop_cause().recognise(question, facts); }
};

TEST_F(InputDrop, IsWhatANodesOwnFirewallDoesToWhatIsForIt) {
  question.to = testing::ip("192.168.99.1");
  question.to_node = "host";
  comes_to_host("192.168.99.11", "192.168.99.1");
  const Chain& held = chain("inet", "filter", "input", Hook::input, "drop", {"tcp dport 22 accept"});
  Passage& passage =
      testing::pass(question, "host", Hook::input, Leg::forward, "192.168.99.11", "192.168.99.1");
  passage.iif = "bridge0";
  meet(passage, held, 1, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "The policy of host's inet filter input drops the probe, which is for the node itself.");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{
                "nft add rule inet filter input iifname bridge0 ip daddr 192.168.99.1 tcp dport 80 accept"});
}

TEST_F(InputDrop, IsLikelyByTheRulesOfAGuardThatIsNotTraced) {
  question.kernel.nodes.clear();
  question.to = testing::ip("192.168.99.1");
  question.to_node = "host";
  comes_to_host("192.168.99.11", "192.168.99.1");
  chain("inet", "filter", "input", Hook::input, "accept", {"tcp dport { 80, 443 } reject with tcp reset"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  question.delivered_to = "host";
  EXPECT_FALSE(recognise());
}

TEST_F(InputDrop, IsNotClaimedWhereTheRulesAcceptIt) {
  question.kernel.nodes.clear();
  question.to = testing::ip("192.168.99.1");
  question.to_node = "host";
  comes_to_host("192.168.99.11", "192.168.99.1");
  chain("inet", "filter", "input", Hook::input, "drop", {"iifname \"bridge*\" tcp dport 1-1023 accept"});
  EXPECT_FALSE(recognise());
}

TEST_F(InputDrop, IsNotClaimedOfWhatIsForwarded) {
  const Chain& held = forward("drop", {});
  meet(at_forward(), held, 0, "drop");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
