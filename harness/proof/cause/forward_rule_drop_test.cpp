#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind forward_rule_drop_cause();

namespace {

using testing::says;

class ForwardRuleDrop : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return forward_rule_drop_cause().recognise(question, facts); }
};

TEST_F(ForwardRuleDrop, NamesTheRuleAndExceptsFromIt) {
  const Chain& held = forward("drop", {"ct state established accept", "ip daddr 203.0.113.0/24 reject"});
  meet(at_forward(), held, 1, "reject");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "A rule of host's inet filter forward rejects the probe to 203.0.113.80.");
  EXPECT_TRUE(says(finding->evidence, "(handle 6): ip daddr 203.0.113.0/24 reject"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule inet filter forward handle 6 iifname bridge0 oifname ens4 ip "
                              "daddr 203.0.113.80 tcp dport 80 accept"});
}

TEST_F(ForwardRuleDrop, NumbersRulesAsIptablesLegacyDoes) {
  const Chain& held = chain("ip", "filter", "FORWARD", Hook::forward, "accept",
                            {"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                             "-A FORWARD -d 203.0.113.0/24 -j DROP"},
                            RuleMet::Backend::iptables_legacy);
  meet(at_forward(), held, 1, "drop");
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"iptables-legacy -I FORWARD 2 -i bridge0 -o ens4 -d "
                                                       "203.0.113.80 -p tcp --dport 80 -j ACCEPT"});
}

TEST_F(ForwardRuleDrop, SaysThatTheAnswerIsWhatWasDropped) {
  comes_to_host();
  goes_out("192.168.16.10");
  answered("192.168.16.10");
  const Chain& held =
      forward("accept", {"ct state established,related tcp dport 9 accept", "iifname ens4 drop"});
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 1, "drop");
  // An accept of what is established is there, if not for this: the rule is to blame.
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "A rule of host's inet filter forward drops the answer to 192.168.99.11.");
  // By its port, whoever sends from that one would come to any.
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{
                "nft insert rule inet filter forward handle 6 ct state established,related accept"});
}

TEST_F(ForwardRuleDrop, TakesAnAnswerByItsAddressesBeforeConntrackKnowsIt) {
  comes_to_host();
  goes_out("192.168.99.11");
  answered("192.168.99.11");
  Chain& held = chain("ip", "raw", "prerouting", Hook::prerouting, "accept", {"tcp sport 80 drop"});
  held.priority = "raw";
  meet(testing::pass(question, "host", Hook::prerouting, Leg::reply, "203.0.113.80", "192.168.99.11"), held,
       0, "drop");
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{
                                  "nft insert rule ip raw prerouting handle 5 ip saddr 203.0.113.80 ip daddr "
                                  "192.168.99.11 tcp sport 80 accept"});
}

/// The probe went another way: to conntrack the answer belongs to nothing.
TEST_F(ForwardRuleDrop, TakesAnAnswerByItsAddressesWhereTheProbeDidNotPass) {
  testing::see(question, Leg::forward, "internet", "eth0", traffic::Direction::in, "192.168.99.11",
               "203.0.113.80");
  answered("192.168.99.11");
  const Chain& held = forward("accept", {"iifname ens4 drop", "ct state established accept"});
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 0, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding) << "what accepts connections would not have accepted it";
  EXPECT_TRUE(says(finding->evidence, "the probe itself did not pass host"));
  const std::vector<std::string> by_address{
      "nft insert rule inet filter forward handle 5 iifname ens4 oifname bridge0 ip saddr 203.0.113.80 ip "
      "daddr 192.168.99.11 tcp sport 80 accept"};
  EXPECT_EQ(finding->fix, by_address);
  // Nor where it crossed a bridge only.
  add(*facts.network.find("host"), "veth2", network::LinkKind::veth, {}).master = "bridge0";
  comes_to_host();
  testing::see(question, Leg::forward, "host", "veth2", traffic::Direction::out, "192.168.99.11",
               "203.0.113.80");
  EXPECT_EQ(recognise()->fix, by_address);
}

TEST_F(ForwardRuleDrop, SaysThatDockersNetworkIsInternal) {
  const Chain& held = chain("ip", "filter", "FORWARD", Hook::forward, "drop", {});
  EXPECT_TRUE(held.hook);
  Chain& dockers = chain("ip", "filter", "DOCKER-ISOLATION-STAGE-1", Hook::forward, "",
                         {"iifname \"bridge0\" ip daddr != 192.168.99.0/24 counter drop",
                          "iifname \"bridge0\" oifname != \"bridge0\" counter drop"});
  dockers.hook.reset();
  meet(at_forward(), dockers, 0, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "The network on bridge0 is internal: Docker's own rule for that, in host's ip filter "
            "DOCKER-ISOLATION-STAGE-1, drops the probe to 203.0.113.80.");
  EXPECT_FALSE(says(finding->fix, "iptables"));
  question.kernel.passages.clear();
  meet(at_forward(), dockers, 1, "drop");
  EXPECT_EQ(recognise()->summary,
            "A rule of host's ip filter DOCKER-ISOLATION-STAGE-1 drops the probe to 203.0.113.80.");
}

TEST_F(ForwardRuleDrop, IsNotClaimedWhereAnAcceptComesTooLate) {
  const Chain& held = forward("drop", {"ip daddr 203.0.113.0/24 reject", "ip daddr 203.0.113.80 accept"});
  meet(at_forward(), held, 0, "reject");
  EXPECT_FALSE(recognise());
}

TEST_F(ForwardRuleDrop, IsNotClaimedOfAPolicyOrOfAnAnsweredProbe) {
  const Chain& held = forward("drop", {"ip daddr 203.0.113.0/24 reject"});
  meet(at_forward(), held, 1, "drop");
  EXPECT_FALSE(recognise());
  question.kernel.passages.clear();
  meet(at_forward(), held, 0, "reject");
  EXPECT_TRUE(recognise());
  question.outcome.status = traffic::ProbeOutcome::Status::replied;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
