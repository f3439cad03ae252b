#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind proxy_arp_off_cause();

namespace {

using testing::ip;

/// gateway asks its LAN for 192.168.16.21, which is a container's behind the host.
class ProxyArpOff : public testing::Ways {
 protected:
  ProxyArpOff() {
    question.from = "gateway";
    question.to = ip("192.168.16.21");
    question.to_node = "one";
    question.outcome.identity.source = ip("192.168.16.1");
    cable(facts.add("one", Role::container), "eth0", "192.168.16.21/32", {"host", "veth9"});
    cable(*facts.network.find("host"), "veth9", "", {"one", "eth0"});
    route("gateway", "192.168.16.21", "", "lan");
    route("host", "192.168.16.21", "", "veth9");
    in_table("host", "192.168.16.21/32", "", "veth9");
    facts.neighbours_of["gateway"].push_back(
        {"lan", ip("192.168.16.21"), {}, kernel::netlink::NeighbourState::failed});
    facts.sysctls[{"host", "net/ipv4/conf/ens4/forwarding"}] = "1";
    facts.sysctls[{"host", "net/ipv4/conf/all/proxy_arp"}] = "0";
    facts.sysctls[{"host", "net/ipv4/conf/ens4/proxy_arp"}] = "0";
  }
  std::optional<Finding> recognise() { return proxy_arp_off_cause().recognise(question, facts); }
};

TEST_F(ProxyArpOff, IsProvenWhereTheRouterBetweenThemHasTheAddressAloneAndIsSilent) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host has 192.168.16.21 behind another interface, and does not answer for it on ens4.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"sysctl -w net.ipv4.conf.ens4.proxy_arp=1  # on host"});
}

TEST_F(ProxyArpOff, IsNotClaimedWhereItAnswersForOthers) {
  facts.sysctls[{"host", "net/ipv4/conf/all/proxy_arp"}] = "1";
  EXPECT_FALSE(recognise());
}

TEST_F(ProxyArpOff, IsNotClaimedOfANetworkThatIsMerelyElsewhere) {
  std::erase_if(facts.network.find("host")->routes,
                [](const network::Route& each) { return each.dev == "veth9"; });
  EXPECT_FALSE(recognise());
}

TEST_F(ProxyArpOff, IsNotClaimedWhereTheNodeDoesNotForward) {
  facts.sysctls[{"host", "net/ipv4/conf/ens4/forwarding"}] = "0";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
