#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind masquerade_wrong_uplink_cause();

namespace {

using testing::says;

class MasqueradeWrongUplink : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return masquerade_wrong_uplink_cause().recognise(question, facts); }
};

class OtherUplink : public MasqueradeWrongUplink {
 protected:
  OtherUplink() {
    question.promise = Case::Promise::egress;
    question.via = "ens4";
    question.as = testing::ip("192.168.16.10");
    comes_to_host();
    goes_out("192.168.99.11");
  }
};

TEST_F(OtherUplink, NamesTheRule) {
  chain("inet", "nat", "postrouting", Hook::postrouting, "accept",
        {"ip saddr 192.168.99.0/24 oifname \"ens5\" masquerade"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_TRUE(says(finding->evidence, "oifname \"ens5\" masquerade"));
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{
                "nft insert rule inet nat postrouting ip saddr 192.168.99.0/24 oifname ens4 masquerade"});
}

TEST_F(OtherUplink, IsNotClaimedOfARuleForOtherContainers) {
  chain("inet", "nat", "postrouting", Hook::postrouting, "accept",
        {"ip saddr 172.17.0.0/16 oifname \"ens5\" masquerade"});
  EXPECT_FALSE(recognise());
}

TEST_F(OtherUplink, IsNotClaimedWhereThePacketLeftByTheWrongUplinkItself) {
  question.via = "ens5";
  chain("inet", "nat", "postrouting", Hook::postrouting, "accept",
        {"ip saddr 192.168.99.0/24 oifname \"ens5\" masquerade"});
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
