#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind legacy_and_nft_mixed_cause();

namespace {

using testing::says;

class LegacyAndNftMixed : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return legacy_and_nft_mixed_cause().recognise(question, facts); }
};

class Mixed : public LegacyAndNftMixed {
 protected:
  void stop(const std::vector<std::string>& other_rules) {
    const Chain held =
        chain("ip", "filter", "FORWARD", Hook::forward, "drop", {}, RuleMet::Backend::iptables_legacy);
    meet(at_forward(), held, 0, "drop");
    forward("accept", other_rules);
  }
};

TEST_F(Mixed, IsADropInOneAndAnAcceptInTheOther) {
  stop({"iifname \"bridge0\" oifname \"ens4\" counter packets 0 bytes 0 accept"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(
      finding->summary,
      "host has rules in both back ends, and they disagree: nf_tables accepts the probe, iptables-legacy "
      "drops it.");
  EXPECT_TRUE(says(finding->fix, "iptables-legacy -A FORWARD -i bridge0 -o ens4 -d 203.0.113.80 "));
}

TEST_F(Mixed, IsNotClaimedWhereTheOtherHasNoRuleForIt) {
  stop({"iifname \"bridge0\" oifname \"ens5\" accept"});
  EXPECT_FALSE(recognise());
}

TEST_F(Mixed, IsNotClaimedWhereTheOthersRuleIsNotUnderstood) {
  stop({"iifname \"bridge0\" ip saddr @friends accept"});
  EXPECT_FALSE(recognise());
}

TEST_F(LegacyAndNftMixed, IsNotClaimedOfTwoTablesOfOneBackEnd) {
  const Chain held = chain("ip", "filter", "FORWARD", Hook::forward, "drop", {});
  meet(at_forward(), held, 0, "drop");
  forward("accept", {"iifname \"bridge0\" accept"});
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
