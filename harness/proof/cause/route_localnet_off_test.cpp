#include <gtest/gtest.h>

#include <cerrno>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind route_localnet_off_cause();

namespace {

using testing::ip;
using testing::says;

class RouteLocalnetOff : public testing::FirewallCase {
 protected:
  RouteLocalnetOff() {
    for (const char* interface : {"all", "ens4", "bridge0"})
      facts.sysctls[{"host", std::string("net/ipv4/conf/") + interface + "/route_localnet"}] = "0";
    facts.routes["host 192.168.99.11"].dev = "bridge0";
    question.to_node = "host";
    question.port = 8080;
  }
  void turn(Hook hook, const std::string& name, const std::string& from, const std::string& to,
            const std::string& rule) {
    Chain& rules = chain("ip", "nat", name, hook, "accept", {rule});
    Passage& passage = testing::pass(question, "host", hook, Leg::forward, from, to);
    if (hook == Hook::prerouting) passage.iif = "ens4";
    meet(passage, rules, 0, "accept");
  }
  void from_the_host() {
    question.from = "host";
    question.to = ip("127.0.0.1");
    turn(Hook::output, "OUTPUT", "127.0.0.1", "127.0.0.1",
         "ip daddr 127.0.0.1 tcp dport 8080 counter packets 1 bytes 60 dnat to 192.168.99.11:80");
  }
  void from_outside() {
    question.from = "internet";
    question.to = ip("192.168.16.10");
    turn(Hook::prerouting, "PREROUTING", "203.0.113.80", "192.168.16.10",
         "tcp dport 8080 counter packets 1 bytes 60 dnat to 127.0.0.1:80");
  }
  std::optional<Finding> recognise() { return route_localnet_off_cause().recognise(question, facts); }
};

TEST_F(RouteLocalnetOff, KeepsInWhatIsTurnedFromLoopback) {
  from_the_host();
  Drop& drop = question.kernel.drops.emplace_back();
  drop.node = "host";
  drop.reason = "NETFILTER_DROP";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host lets nothing from 127.0.0.1 out by bridge0: route_localnet is off there, and the port of "
            "127.0.0.1 leads to 192.168.99.11.");
  EXPECT_TRUE(says(finding->evidence, "the kernel's reason for the drop: NETFILTER_DROP"));
  ASSERT_EQ(finding->fix.size(), 2U);
  EXPECT_EQ(finding->fix[0], "sysctl -w net.ipv4.conf.bridge0.route_localnet=1");
  EXPECT_TRUE(says(finding->fix, "-o bridge0 -j MASQUERADE")) << finding->fix[1];
}

TEST_F(RouteLocalnetOff, AsksForNoMasqueradeWhereThereIsOne) {
  from_the_host();
  chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept", {"ip saddr 127.0.0.0/8 counter masquerade"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix.size(), 1U);
}

TEST_F(RouteLocalnetOff, KeepsOutWhatIsTurnedToLoopback) {
  from_outside();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "host takes nothing that comes in by ens4 to 127.0.0.1, to which a rule turns it: route_localnet "
            "is off.");
  EXPECT_TRUE(says(finding->evidence, "the server is to listen on an address of host's own"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{"nft -a list chain ip nat PREROUTING"});
}

TEST_F(RouteLocalnetOff, IsNotClaimedWhereItIsOnOrThePacketWentOn) {
  from_outside();
  facts.sysctls[{"host", "net/ipv4/conf/all/route_localnet"}] = "1";
  EXPECT_FALSE(recognise());
  facts.sysctls[{"host", "net/ipv4/conf/all/route_localnet"}] = "0";
  testing::pass(question, "host", Hook::input, Leg::forward, "203.0.113.80", "127.0.0.1");
  EXPECT_FALSE(recognise());
}

TEST_F(RouteLocalnetOff, IsNotClaimedOfAPortThatLeadsElsewhere) {
  question.from = "internet";
  question.to = ip("192.168.16.10");
  turn(Hook::prerouting, "PREROUTING", "203.0.113.80", "192.168.16.10",
       "tcp dport 8080 dnat to 192.168.99.11");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
