#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind wrong_snat_address_cause();

namespace {

using testing::says;

class WrongSnatAddress : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return wrong_snat_address_cause().recognise(question, facts); }
};

TEST_F(WrongSnatAddress, NamesTheRuleThatTranslatesOtherwiseThanPromised) {
  question.promise = Case::Promise::egress;
  question.via = "ens4";
  question.as = testing::ip("192.168.16.11");
  comes_to_host();
  goes_out("192.168.16.10");
  chain("inet", "nat", "postrouting", Hook::postrouting, "accept", {"oifname \"ens4\" masquerade"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_TRUE(says(finding->evidence, "masquerade takes the first address of ens4"));
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{
                "nft insert rule inet nat postrouting ip saddr 192.168.99.0/24 oifname ens4 snat "
                "ip to 192.168.16.11"});
}

TEST_F(WrongSnatAddress, IsProvenOfAnAddressThatNobodyHolds) {
  comes_to_host();
  goes_out("192.168.16.99");
  chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept", {"oifname \"ens4\" snat to 192.168.16.99"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  question.outcome.status = traffic::ProbeOutcome::Status::replied;
  EXPECT_FALSE(recognise());
}

TEST_F(WrongSnatAddress, IsLikelyOfAnAddressThatAnotherHolds) {
  add(facts.add("lan-peer", network::Role::world), "eth0", network::LinkKind::veth, {"192.168.16.99/24"});
  comes_to_host();
  goes_out("192.168.16.99");
  chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept", {"oifname \"ens4\" snat to 192.168.16.99"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
}

TEST_F(WrongSnatAddress, IsNotClaimedOfTheHostsOwnAddressOrOfNone) {
  comes_to_host();
  goes_out("192.168.16.10");
  chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept", {"oifname \"ens4\" masquerade"});
  EXPECT_FALSE(recognise());
}

TEST_F(WrongSnatAddress, IsNotClaimedWhereNoRuleOfTheHostsExplainsIt) {
  comes_to_host();
  goes_out("192.168.16.99");
  EXPECT_FALSE(recognise());
}

TEST_F(WrongSnatAddress, IsProvenOfAnAddressWhoseHolderGotThePacket) {
  add(facts.add("gateway", network::Role::world), "lan", network::LinkKind::veth, {"192.168.16.1/24"});
  comes_to_host();
  testing::see(question, Leg::forward, "host", "ens4", traffic::Direction::out, "192.168.16.1",
               "203.0.113.80", 63);
  testing::see(question, Leg::forward, "gateway", "lan", traffic::Direction::in, "192.168.16.1",
               "203.0.113.80", 63);
  chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept", {"oifname \"ens4\" snat to 192.168.16.1"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_TRUE(says(finding->evidence, "gateway holds 192.168.16.1 itself"));
}

}  // namespace
}  // namespace plumbline::proof
