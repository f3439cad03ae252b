#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind bridge_rule_drop_cause();
CauseKind bridge_netfilter_cause();
CauseKind forward_policy_drop_cause();
CauseKind forward_rule_drop_cause();

namespace {

using testing::says;

class BridgeRuleDrop : public testing::FirewallCase {
 protected:
  BridgeRuleDrop() {
    question.to = testing::ip("192.168.99.12");
    question.to_node = "container-two";
    testing::FirewallCase::add(*facts.network.find("host"), "veth2", network::LinkKind::veth, {}).master =
        "bridge0";
    comes_to_host("192.168.99.11", "192.168.99.12");
  }

  const Chain& held(const std::string& policy, const std::vector<std::string>& rules) {
    return chain("bridge", "filter", "forward", Hook::forward, policy, rules);
  }
  Passage& at_bridge(Leg leg = Leg::forward) {
    const bool there = leg == Leg::forward;
    Passage& passage =
        testing::pass(question, "host", Hook::forward, leg, there ? "192.168.99.11" : "192.168.99.12",
                      there ? "192.168.99.12" : "192.168.99.11");
    passage.bridge = true;
    passage.iif = there ? "veth1" : "veth2";
    passage.oif = there ? "veth2" : "veth1";
    return passage;
  }
  std::optional<Finding> recognise() { return bridge_rule_drop_cause().recognise(question, facts); }
};

TEST_F(BridgeRuleDrop, NamesTheRuleAndTheExceptionAheadOfIt) {
  meet(at_bridge(), held("accept", {"ip daddr 192.168.99.12 drop"}), 0, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "A rule of host's bridge filter forward drops the probe to 192.168.99.12 in the bridge, before IP sees "
      "it.");
  EXPECT_TRUE(says(finding->evidence, "was stopped in host at the hook bridge forward"));
  EXPECT_TRUE(says(finding->evidence, "(handle 5): ip daddr 192.168.99.12 drop"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule bridge filter forward handle 5 iifname veth1 oifname veth2 ip "
                              "daddr 192.168.99.12 tcp dport 80 accept"});
  EXPECT_FALSE(forward_rule_drop_cause().recognise(question, facts));
  EXPECT_FALSE(bridge_netfilter_cause().recognise(question, facts));
}

TEST_F(BridgeRuleDrop, IsReckonedWhereNothingIsTraced) {
  question.kernel.nodes.clear();
  question.journey.sightings.clear();
  testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11",
               "192.168.99.12");
  testing::see(question, Leg::forward, "host", "veth1", traffic::Direction::other_host, "192.168.99.11",
               "192.168.99.12");
  facts.network.find("host")->find_interface("veth2")->peer = network::Endpoint{"container-two", "eth0"};
  held("accept", {"oifname \"veth2\" ip daddr 192.168.99.12 drop"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule bridge filter forward handle 5 iifname veth1 oifname veth2 ip "
                              "daddr 192.168.99.12 tcp dport 80 accept"});
}

TEST_F(BridgeRuleDrop, OpensBothWaysWhereThePolicyDrops) {
  meet(at_bridge(), held("drop", {"ether type arp accept"}), 1, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "The policy of host's bridge filter forward drops the probe to 192.168.99.12 in the bridge, "
            "before IP sees "
            "it.");
  EXPECT_EQ(finding->fix, (std::vector<std::string>{
                              "nft add rule bridge filter forward iifname veth1 oifname veth2 ip daddr "
                              "192.168.99.12 tcp dport 80 accept",
                              "nft add rule bridge filter forward iifname veth2 oifname veth1 ip saddr "
                              "192.168.99.12 ip daddr 192.168.99.11 tcp sport 80 accept"}));
  EXPECT_FALSE(forward_policy_drop_cause().recognise(question, facts));
}

TEST_F(BridgeRuleDrop, IsNotClaimedOfOneCopyAmongOthers) {
  Passage& passage = at_bridge();
  meet(passage, held("accept", {"ip daddr 192.168.99.12 drop"}), 0, "drop");
  passage.copies = Passage::Copies::went_on;
  EXPECT_FALSE(recognise());
  passage.copies = Passage::Copies::same_end;
  EXPECT_TRUE(recognise());
}

TEST_F(BridgeRuleDrop, IsNotClaimedOfARuleAtIpsHook) {
  meet(at_forward(), forward("accept", {"ip daddr 192.168.99.12 drop"}), 0, "drop");
  EXPECT_FALSE(recognise());
}

TEST_F(BridgeRuleDrop, KnowsTheWrongWayToSayNo) {
  question.promise = Case::Promise::deny;
  question.guard = "host";
  question.how = "reject";
  meet(at_bridge(), held("accept", {"ip daddr 192.168.99.12 drop"}), 0, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "A rule of host's bridge filter forward drops the probe, which was to be rejected.");
}

}  // namespace
}  // namespace plumbline::proof
