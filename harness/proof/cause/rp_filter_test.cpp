#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind rp_filter_cause();

namespace {

using testing::ip;
using traffic::Direction;

class RpFilter : public testing::Ways {
 protected:
  RpFilter() {
    question.from = "internet";
    question.to = ip("192.168.17.10");
    question.to_node = "host";
    see(Leg::forward, "internet", "eth1", Direction::out, "203.0.113.80", "192.168.17.10");
    see(Leg::forward, "host", "ens5", Direction::in, "203.0.113.80", "192.168.17.10");
    facts.sysctls[{"host", "net/ipv4/conf/all/rp_filter"}] = "0";
    facts.sysctls[{"host", "net/ipv4/conf/ens5/rp_filter"}] = "1";
    no_route("host", "192.168.17.10", EINVAL);
  }
  std::optional<Finding> recognise() { return rp_filter_cause().recognise(question, facts); }
};

TEST_F(RpFilter, IsProvenByTheSettingAndTheKernelsLookups) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host's reverse path filter drops what comes from 203.0.113.80 on ens5: its own route to there "
            "leaves by "
            "ens4.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"sysctl -w net.ipv4.conf.ens5.rp_filter=2"});
}

TEST_F(RpFilter, IsProvenByTheDropReason) {
  no_route("host", "192.168.17.10", ENETUNREACH);
  EXPECT_FALSE(recognise());
  Drop& drop = question.kernel.drops.emplace_back();
  drop.node = "host";
  drop.reason = "IP_RPFILTER";
  EXPECT_TRUE(recognise());
}

TEST_F(RpFilter, IsProvenByTheCounter) {
  no_route("host", "192.168.17.10", ENETUNREACH);
  question.kernel.counters.push_back({"host", "IPReversePathFilter", 1});
  EXPECT_TRUE(recognise());
}

TEST_F(RpFilter, IsNotClaimedWhereItIsOff) {
  facts.sysctls[{"host", "net/ipv4/conf/ens5/rp_filter"}] = "0";
  EXPECT_FALSE(recognise());
}

TEST_F(RpFilter, IsNotClaimedWhereAnyWayBackWillDo) {
  facts.sysctls[{"host", "net/ipv4/conf/ens5/rp_filter"}] = "2";
  EXPECT_FALSE(recognise());
}

TEST_F(RpFilter, IsNotClaimedOfASymmetricWay) {
  route("host", "203.0.113.80", "192.168.17.1", "ens5");
  EXPECT_FALSE(recognise());
}

TEST_F(RpFilter, IsNotClaimedOfTheNodesOwnAddress) {
  last().packet.ip->source = ip("192.168.16.10");
  EXPECT_FALSE(recognise());
}

TEST_F(RpFilter, IsProvenByARuleThatAsksForTheWayBack) {
  Passage& passage = testing::pass(question, "host", Hook::prerouting, Leg::forward, "203.0.113.80",
                                   "192.168.17.10", "drop");
  RuleMet& rule = passage.rules.emplace_back();
  rule.family = "inet";
  rule.table = "firewalld";
  rule.chain = "filter_PREROUTING";
  rule.number = 9;
  rule.text = "meta nfproto ipv6 fib saddr . mark . iif oif missing drop";
  rule.verdict = "drop";
  EXPECT_EQ(recognise()->fix,
            std::vector<std::string>{"nft delete rule inet firewalld filter_PREROUTING handle 9"});
  passage.rules.front().text = "tcp dport 80 drop";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
