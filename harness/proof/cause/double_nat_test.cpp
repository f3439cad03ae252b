#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

CauseKind double_nat_cause();

namespace {

using testing::says;
using traffic::Direction;

class DoubleNat : public testing::FirewallCase {
 protected:
  DoubleNat() {
    question.promise = Case::Promise::egress;
    question.via = "ens4";
    question.as = testing::ip("192.168.16.10");
    question.outcome.status = traffic::ProbeOutcome::Status::replied;
    comes_to_host();
    testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "203.0.113.80", 63);
    testing::see(question, Leg::forward, "gateway", "lan", Direction::in, "192.168.16.10", "203.0.113.80",
                 63);
  }
  void leaves_gateway_as(const char* source) {
    testing::see(question, Leg::forward, "gateway", "wan", Direction::out, source, "203.0.113.80", 62);
  }
  std::optional<Finding> recognise() { return double_nat_cause().recognise(question, facts); }
};

TEST_F(DoubleNat, IsProvenWhereARouterSendsItOnUnderAnotherSource) {
  leaves_gateway_as("198.18.0.1");
  Chain& nat = facts.chains_of["gateway"].emplace_back();
  nat.family = "ip";
  nat.table = "nat";
  nat.name = "postrouting";
  nat.type = "nat";
  nat.hook = Hook::postrouting;
  nat.policy = "accept";
  nat.rules.push_back({7, "oifname \"wan\" masquerade", "", {}});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "gateway translates the source once more: from 192.168.16.10 to 198.18.0.1.");
  EXPECT_TRUE(says(finding->evidence, "oifname \"wan\" masquerade"));
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"nft delete rule ip nat postrouting handle 7  # on gateway"});
}

TEST_F(DoubleNat, IsNotClaimedWhereTheSourceStays) {
  leaves_gateway_as("192.168.16.10");
  EXPECT_FALSE(recognise());
}

TEST_F(DoubleNat, IsNotClaimedOfAPacketThatCameSo) {
  testing::see(question, Leg::forward, "gateway", "lan", Direction::in, "192.168.99.11", "203.0.113.80", 63);
  leaves_gateway_as("192.168.99.11");
  EXPECT_FALSE(recognise());
}

TEST_F(DoubleNat, IsNotClaimedWithoutAPromiseAboutTheSource) {
  leaves_gateway_as("198.18.0.1");
  question.promise = Case::Promise::reach;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
