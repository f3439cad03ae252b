#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind conntrack_full_cause();

namespace {

using testing::says;

class ConntrackFull : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return conntrack_full_cause().recognise(question, facts); }
};

class Full : public ConntrackFull {
 protected:
  Full() {
    comes_to_host();
    testing::pass(question, "host", Hook::prerouting, Leg::forward, "192.168.99.11", "203.0.113.80");
    facts.sysctls[{"host", "net/netfilter/nf_conntrack_count"}] = "262144";
    facts.sysctls[{"host", "net/netfilter/nf_conntrack_max"}] = "262144";
  }
};

TEST_F(Full, IsLikelyByTheCountAndProvenByTheKernelsDrop) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"sysctl -w net.netfilter.nf_conntrack_max=1048576"});
  Drop& drop = question.kernel.drops.emplace_back();
  drop.node = "host";
  drop.reason = "NETFILTER_DROP";
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
}

TEST_F(Full, IsNotClaimedOfATableWithRoom) {
  facts.sysctls[{"host", "net/netfilter/nf_conntrack_count"}] = "200000";
  EXPECT_FALSE(recognise());
}

TEST_F(Full, IsNotClaimedWhereThePacketGotPastConntrack) {
  at_forward();
  EXPECT_FALSE(recognise());
}

TEST_F(Full, IsNotClaimedWhereARuleStoppedIt) {
  const Chain& held = chain("ip", "raw", "PREROUTING", Hook::prerouting, "accept", {"drop"});
  meet(question.kernel.passages.back(), held, 0, "drop");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
