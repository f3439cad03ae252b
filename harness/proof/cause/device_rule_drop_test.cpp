#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

CauseKind device_rule_drop_cause();

namespace {

using testing::says;

class DeviceRuleDrop : public testing::FirewallCase {
 protected:
  DeviceRuleDrop() {
    comes_to_host();
    Drop& drop = question.kernel.drops.emplace_back();
    drop.node = "host";
    drop.leg = Leg::forward;
    drop.reason = "NETFILTER_DROP";
    drop.function = "nft_do_chain";
    drop.source = testing::ip("192.168.99.11");
    drop.destination = testing::ip("203.0.113.80");
    drop.interface = "veth1";
  }
  Chain& device(const std::vector<std::string>& rules) {
    Chain& made = chain("netdev", "guard", "in", Hook::prerouting, "accept", rules);
    made.hook.reset();
    made.devices = {"veth1"};
    return made;
  }
  std::optional<Finding> recognise() { return device_rule_drop_cause().recognise(question, facts); }
};

TEST_F(DeviceRuleDrop, NamesTheRuleThatLeavesNoDoubt) {
  device({"ip daddr 10.0.0.0/8 drop", "ip daddr 203.0.113.0/24 drop"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "A rule of host's netdev guard in drops the probe to 203.0.113.80 at veth1, before or behind all "
            "that IP sees.");
  EXPECT_TRUE(says(finding->evidence, "ip daddr 203.0.113.0/24 drop"));
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"nft insert rule netdev guard in handle 6 ip saddr 192.168.99.11 ip "
                                     "daddr 203.0.113.80 tcp dport 80 accept"});
}

TEST_F(DeviceRuleDrop, IsNotClaimedWithoutTheKernelsWordOrARule) {
  EXPECT_FALSE(recognise()) << "no chain of a device";
  device({"ip daddr 10.0.0.0/8 drop"});
  EXPECT_FALSE(recognise()) << "no rule that drops it";
  device({"ip daddr 203.0.113.0/24 drop"});
  EXPECT_TRUE(recognise());
  question.kernel.drops.front().reason = "IP_RPFILTER";
  EXPECT_FALSE(recognise());
}

TEST_F(DeviceRuleDrop, IsNotClaimedOfAnotherDevicesChain) {
  device({"ip daddr 203.0.113.0/24 drop"}).devices = {"ens4"};
  EXPECT_FALSE(recognise());
}

TEST_F(DeviceRuleDrop, IsLikelyWhereIpsRulesAreNotTraced) {
  device({"ip daddr 203.0.113.0/24 drop"});
  question.kernel.nodes.clear();
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(DeviceRuleDrop, IsNotClaimedWhereARuleOfIpsStoppedIt) {
  device({"ip daddr 203.0.113.0/24 drop"});
  meet(at_forward(), forward("drop", {}), 0, "drop");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
