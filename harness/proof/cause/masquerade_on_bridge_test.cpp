#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

CauseKind masquerade_on_bridge_cause();

namespace {

using testing::says;
using traffic::Direction;

class MasqueradeOnBridge : public testing::FirewallCase {
 protected:
  MasqueradeOnBridge() {
    question.promise = Case::Promise::silent;
    add(facts.add("container-two", network::Role::container), "eth0", network::LinkKind::veth,
        {"192.168.99.12/24"});
    testing::see(question, Leg::forward, "container-two", "eth0", Direction::in, "192.168.99.1",
                 "192.168.99.12");
  }
  void rule(const std::string& text) {
    chain("ip", "nat", "postrouting", Hook::postrouting, "accept", {text});
  }
  std::optional<Finding> recognise() { return masquerade_on_bridge_cause().recognise(question, facts); }
};

TEST_F(MasqueradeOnBridge, IsLikelyWhereARuleNamesNoUplink) {
  rule("ip saddr 192.168.99.0/24 masquerade");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->summary,
            "host translates what stays on bridge0: neighbours see 192.168.99.1 instead of who sent it.");
  EXPECT_TRUE(says(finding->evidence, "what 192.168.99.11 sends there matches the rule of host's ip nat"));
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"nft insert rule ip nat postrouting handle 5 oifname bridge0 accept"});
}

TEST_F(MasqueradeOnBridge, IsNotClaimedOfARuleForTheUplink) {
  rule("ip saddr 192.168.99.0/24 oifname \"ens4\" masquerade");
  EXPECT_FALSE(recognise());
}

TEST_F(MasqueradeOnBridge, IsNotClaimedOfWhatGoesElsewhere) {
  rule("ip saddr 192.168.99.0/24 masquerade");
  question.journey.sightings.clear();
  testing::see(question, Leg::forward, "internet", "eth0", Direction::in, "192.168.16.10", "203.0.113.80");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
