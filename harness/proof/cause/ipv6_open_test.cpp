#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind ipv6_open_cause();

namespace {

using testing::says;

class Ipv6Open : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return ipv6_open_cause().recognise(question, facts); }
};

class OverV6 : public Ipv6Open {
 protected:
  OverV6() {
    question.promise = Case::Promise::deny;
    question.guard = "host";
    question.to = testing::ip("2001:db8:ffff::80");
    question.delivered_to = "internet";
    question.outcome.identity.source = testing::ip("fd00:99::11");
    facts.routes["host 203.0.113.80"].dev = "ens4";
    comes_to_host("fd00:99::11", "2001:db8:ffff::80");
    at_forward(Leg::forward, "fd00:99::11", "2001:db8:ffff::80");
  }
};

TEST_F(OverV6, IsARuleOfIPv4ThatHasNoTwin) {
  const Chain held =
      forward("drop", {"iifname \"bridge0\" ip daddr 203.0.113.0/24 reject", "iifname \"bridge0\" accept"});
  meet(question.kernel.passages.back(), held, 1, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "nft insert rule inet filter forward handle 6 iifname bridge0 oifname ens4 ip6 "
                              "daddr 2001:db8:ffff::80 tcp dport 80 reject"});
}

TEST_F(OverV6, IsAPolicyOfIPv4Alone) {
  chain("ip", "filter", "FORWARD", Hook::forward, "drop", {});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence, "no chain at the hook forward sees IPv6"));
}

TEST_F(OverV6, IsNotClaimedWhereIPv4IsOpenAsWell) {
  const Chain held = forward("drop", {"iifname \"bridge0\" accept"});
  meet(question.kernel.passages.back(), held, 0, "accept");
  EXPECT_FALSE(recognise());
}

TEST_F(OverV6, IsNotClaimedOfAnExceptionForThisAddress) {
  const Chain held =
      forward("drop", {"ip6 daddr 2001:db8:ffff::80 accept", "ip daddr 203.0.113.0/24 reject"});
  meet(question.kernel.passages.back(), held, 0, "accept");
  EXPECT_FALSE(recognise());
}

TEST_F(OverV6, IsNotClaimedWhereTheRulesOfIPv4AreNotUnderstood) {
  const Chain held = forward("drop", {"ip daddr @inner reject", "iifname \"bridge0\" accept"});
  meet(question.kernel.passages.back(), held, 1, "accept");
  EXPECT_FALSE(recognise());
}

TEST_F(Ipv6Open, IsNotClaimedOverIPv4) {
  question.promise = Case::Promise::deny;
  question.guard = "host";
  question.delivered_to = "internet";
  comes_to_host();
  chain("ip", "filter", "FORWARD", Hook::forward, "drop", {});
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
