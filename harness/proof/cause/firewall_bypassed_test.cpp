#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

CauseKind firewall_bypassed_cause();

namespace {

using testing::says;
using traffic::Direction;

/// container-one on a macvlan of the host's uplink, whose frames the host's uplink only sends.
class FirewallBypassed : public testing::FirewallCase {
 protected:
  FirewallBypassed() {
    question.promise = Case::Promise::deny;
    question.guard = "host";
    question.delivered_to = "internet";
    question.journey.complete = true;
    network::Interface& eth0 = facts.network.find("container-one")->interfaces.front();
    eth0.kind = network::LinkKind::other;
    eth0.kind_name = "macvlan";
    eth0.lower = network::Endpoint{"host", "ens4"};
    see("container-one", "eth0", Direction::out);
    see("host", "ens4", Direction::out);
    see("internet", "eth0", Direction::in);
  }
  void see(const std::string& node, const std::string& interface, Direction direction) {
    testing::see(question, Leg::forward, node, interface, direction, "192.168.99.11", "203.0.113.80");
  }
  void on_a_card_of_its_own() {
    facts.network.find("container-one")->interfaces.front().lower.reset();
    question.journey.sightings.erase(question.journey.sightings.begin() + 1);
  }
  std::optional<Finding> recognise() { return firewall_bypassed_cause().recognise(question, facts); }
};

TEST_F(FirewallBypassed, ByAMacvlanIsProven) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "container-one:eth0 is a macvlan on host:ens4: what container-one sends goes through ens4 and meets no "
      "rule of host's IP.");
  EXPECT_TRUE(says(finding->evidence, "a listener of internet got it"));
  ASSERT_EQ(finding->fix.size(), 3U);
  EXPECT_EQ(finding->fix[1],
            "nft add chain netdev guard egress-ens4 '{ type filter hook egress device \"ens4\" priority "
            "filter; }'");
  EXPECT_EQ(
      finding->fix[2],
      "nft add rule netdev guard egress-ens4 ip saddr 192.168.99.11 ip daddr 203.0.113.80 tcp dport 80 drop");
}

TEST_F(FirewallBypassed, ByAMacvlanCanBeDroppedNotRejected) {
  question.how = "reject";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence, "can drop, not reject"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip -d link show  # on container-one"});
}

TEST_F(FirewallBypassed, ToAMacvlanIsStoppedWhereItComesIn) {
  network::Node& one = *facts.network.find("container-one");
  one.interfaces.front().lower.reset();
  network::Interface& eth0 = facts.network.find("internet")->interfaces.front();
  eth0.kind_name = "macvlan";
  eth0.lower = network::Endpoint{"host", "ens4"};
  question.how = "reject";
  question.journey.sightings[1].packet.direction = Direction::other_host;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(finding->summary.starts_with("internet:eth0 is a macvlan on host:ens4: what internet gets"));
  EXPECT_EQ(finding->fix[1],
            "nft add chain netdev guard ingress-ens4 '{ type filter hook ingress device \"ens4\" priority "
            "filter; }'");
  EXPECT_TRUE(finding->fix[2].ends_with(" reject"));
}

TEST_F(FirewallBypassed, ByACardOfItsOwnIsLikelyWhereTheGuardsKernelTells) {
  on_a_card_of_its_own();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->summary, "host is not on the way from container-one to 203.0.113.80.");
  question.journey.complete = false;
  EXPECT_FALSE(recognise()) << "frames were lost";
  question.journey.complete = true;
  question.kernel.nodes.clear();
  EXPECT_FALSE(recognise()) << "nobody listened there";
}

TEST_F(FirewallBypassed, IsNotClaimedOfWhatTheGuardHadInItsHands) {
  testing::pass(question, "host", Hook::prerouting, Leg::forward, "192.168.99.11", "203.0.113.80");
  EXPECT_FALSE(recognise());
  question.kernel.passages.clear();
  EXPECT_TRUE(recognise());
  see("host", "veth1", Direction::in);
  EXPECT_FALSE(recognise());
}

TEST_F(FirewallBypassed, IsNotClaimedOfADenialThatHeld) {
  question.delivered_to.clear();
  question.journey.sightings.resize(1);
  EXPECT_FALSE(recognise());
}

TEST_F(FirewallBypassed, IsOfDenialsAlone) {
  question.promise = Case::Promise::reach;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
