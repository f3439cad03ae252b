#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind forward_policy_drop_cause();

namespace {

using testing::says;

class ForwardPolicyDrop : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return forward_policy_drop_cause().recognise(question, facts); }
};

TEST_F(ForwardPolicyDrop, IsProvenByTheTraceAndMendedByAnAcceptBothWays) {
  comes_to_host();
  const Chain& held = forward("drop", {"iifname \"eth9\" accept"});
  meet(at_forward(), held, 1, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "No rule of host's inet filter forward accepts the probe, from bridge0 to ens4, and its policy "
            "is drop.");
  const std::vector<std::string> fix{
      "nft add rule inet filter forward iifname bridge0 oifname ens4 ip daddr 203.0.113.80 tcp dport 80 "
      "accept",
      "nft insert rule inet filter forward ct state established,related accept"};
  EXPECT_EQ(finding->fix, fix);
}

TEST_F(ForwardPolicyDrop, SpeaksTheDialectOfIptables) {
  const Chain& held = chain("ip", "filter", "FORWARD", Hook::forward, "drop",
                            {"ct state related,established counter packets 0 bytes 0 accept"});
  meet(at_forward(), held, 1, "drop");
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{
                                  "iptables-nft -A FORWARD -i bridge0 -o ens4 -d 203.0.113.80 -p tcp --dport "
                                  "80 -j ACCEPT"});
}

TEST_F(ForwardPolicyDrop, OpensThePortThatAPublishedOneLeadsTo) {
  question.to = testing::ip("192.168.16.10");
  question.to_node = "host";
  question.port = 8080;
  const Chain nat =
      chain("ip", "nat", "PREROUTING", Hook::prerouting, "accept",
            {"iifname \"ens4\" tcp dport 8080 counter packets 1 bytes 60 dnat to 192.168.99.11:80",
             "tcp dport 8080 dnat ip to 192.168.99.11", "tcp dport 8080 dnat to 192.168.99.11-192.168.99.19",
             "tcp dport 8080 dnat to 192.168.99.11:80-89"});
  const Chain held = forward("drop", {"ct state established,related accept"});
  const auto fix = [&](std::size_t rule) {
    question.kernel.passages.clear();
    meet(testing::pass(question, "host", Hook::prerouting, Leg::forward, "192.168.16.66", "192.168.16.10"),
         nat, rule, "accept");
    Passage& passage =
        testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.16.66", "192.168.99.11");
    passage.iif = "ens4";
    passage.oif = "bridge0";
    meet(passage, held, 1, "drop");
    return recognise()->fix;
  };
  const std::string to =
      "nft add rule inet filter forward iifname ens4 oifname bridge0 ip daddr 192.168.99.11 ";
  EXPECT_EQ(fix(0), std::vector<std::string>{to + "tcp dport 80 accept"});
  EXPECT_EQ(fix(1), std::vector<std::string>{to + "tcp dport 8080 accept"});
  EXPECT_EQ(fix(3), std::vector<std::string>{to + "meta l4proto tcp accept"});
}

TEST_F(ForwardPolicyDrop, IsLikelyByTheRulesAloneWhereNothingIsTraced) {
  question.kernel.nodes.clear();
  comes_to_host();
  facts.routes["host 203.0.113.80"].dev = "ens4";
  forward("drop", {"iifname \"eth9\" accept", "ip daddr 203.0.113.80 udp dport 80 accept"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  Drop& drop = question.kernel.drops.emplace_back();
  drop.node = "host";
  drop.reason = "NETFILTER_DROP";
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
}

TEST_F(ForwardPolicyDrop, IsNotClaimedWhereARuleMayHaveAcceptedIt) {
  question.kernel.nodes.clear();
  comes_to_host();
  facts.routes["host 203.0.113.80"].dev = "ens4";
  forward("drop", {"ip daddr @friends accept"});
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardPolicyDrop, IsNotClaimedOfARule) {
  const Chain& held = forward("drop", {"ip daddr 203.0.113.0/24 drop"});
  meet(at_forward(), held, 0, "drop");
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardPolicyDrop, IsNotClaimedWhereForwardingIsOff) {
  question.kernel.nodes.clear();
  comes_to_host();
  facts.routes["host 203.0.113.80"].dev = "ens4";
  facts.sysctls[{"host", "net/ipv4/conf/bridge0/forwarding"}] = "0";
  forward("drop", {});
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardPolicyDrop, IsWhyADenialIsNoRejection) {
  question.promise = Case::Promise::deny;
  question.guard = "host";
  question.how = "reject";
  const Chain& held = forward("drop", {});
  meet(at_forward(), held, 0, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"nft add rule inet filter forward iifname bridge0 oifname ens4 ip daddr "
                                     "203.0.113.80 tcp dport 80 reject"});
  question.how = "any";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
