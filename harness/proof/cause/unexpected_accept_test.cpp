#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind unexpected_accept_cause();

namespace {

using testing::says;

class UnexpectedAccept : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return unexpected_accept_cause().recognise(question, facts); }
};

class Leaks : public UnexpectedAccept {
 protected:
  Leaks() {
    question.promise = Case::Promise::deny;
    question.guard = "host";
    question.how = "any";
    question.delivered_to = "internet";
    comes_to_host();
  }
};

TEST_F(Leaks, NamesTheRuleAndTheJumpsToIt) {
  const Chain held = forward("drop", {"iifname \"bridge0\" jump friends"});
  Chain friends = chain("inet", "filter", "friends", Hook::forward, "", {"accept"});
  facts.chains_of["host"].back().hook.reset();
  Passage& passage = at_forward();
  meet(passage, held, 0, "jump friends");
  meet(passage, friends, 0, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "A rule of host's inet filter friends accepts the probe.");
  EXPECT_TRUE(says(finding->evidence, "jump friends"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule inet filter friends handle 5 iifname bridge0 oifname ens4 ip "
                              "daddr 203.0.113.80 tcp dport 80 reject"});
}

TEST_F(Leaks, NamesThePolicy) {
  const Chain held = forward("accept", {"ip daddr 10.0.0.0/8 reject"});
  meet(at_forward(), held, 1, "accept");
  EXPECT_EQ(recognise()->summary,
            "No rule of host's inet filter forward stops the probe, and its policy is accept.");
}

TEST_F(Leaks, SaysThatNothingFilters) {
  at_forward();
  EXPECT_EQ(recognise()->summary,
            "Nothing filters at the hook forward of host: no chain there stops the probe.");
}

TEST_F(Leaks, ThatNothingFiltersIsLikelyWhereNoKernelTells) {
  question.kernel.nodes.clear();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->summary, "Nothing filters at the hook forward of host: no chain there stops the probe.");
}

TEST_F(Leaks, IsNotClaimedWhereADenialComesTooLate) {
  const Chain held = forward("drop", {"accept", "ip daddr 203.0.113.80 drop"});
  meet(at_forward(), held, 0, "accept");
  EXPECT_FALSE(recognise());
}

TEST_F(Leaks, IsNotClaimedWhereNothingIsKnownOfTheGuard) {
  EXPECT_FALSE(recognise());
}

TEST_F(UnexpectedAccept, IsNotClaimedOfWhatTheGuardsIpNeverSaw) {
  question.promise = Case::Promise::deny;
  question.guard = "host";
  question.delivered_to = "internet";
  testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11",
               "203.0.113.80");
  testing::see(question, Leg::forward, "host", "ens4", traffic::Direction::out, "192.168.99.11",
               "203.0.113.80");
  EXPECT_FALSE(recognise()) << "as a macvlan's on the uplink";
}

TEST_F(UnexpectedAccept, IsNotClaimedOfADenialThatHeld) {
  question.promise = Case::Promise::deny;
  question.guard = "host";
  comes_to_host();
  at_forward();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
