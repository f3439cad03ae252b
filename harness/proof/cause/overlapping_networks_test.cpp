#include <gtest/gtest.h>

#include <algorithm>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind overlapping_networks_cause();

namespace {

using kernel::netlink::NeighbourState;
using testing::ip;

/// The LAN on ens4, of which lan-peer is; and a bridge whose network is changed to overlap it.
class OverlappingNetworks : public ::testing::Test, protected testing::Plugged {
 protected:
  OverlappingNetworks() {
    facts.network.nodes.reserve(8);
    network::Node& peer = facts.add("lan-peer", network::Role::world);
    cable(peer, "eth0", "192.168.16.66/24", {"host", "ens4"});
    cable(*facts.network.find("host"), "ens4", "192.168.16.10/24", {"lan-peer", "eth0"});
    question.from = "host";
    ask("192.168.16.66", "lan-peer");
    question.outcome.identity.source = ip("192.168.16.1");
  }
  static void cable(network::Node& node, const std::string& name, std::string_view address,
                    network::Endpoint peer) {
    network::Interface& made = node.interfaces.emplace_back();
    made.name = name;
    made.peer = std::move(peer);
    made.addresses.push_back(InterfaceAddress::parse(address).value());
  }
  void bridge_is(std::string_view address) {
    interface("host", "bridge0").addresses.front() = InterfaceAddress::parse(address).value();
    for (const char* container : {"container-one", "container-two"})
      interface(container, "eth0").addresses.clear();
  }
  void host_asks_by_the_bridge() {
    route("host", "192.168.16.66", "bridge0");
    neighbour("host", "bridge0", "192.168.16.66", NeighbourState::incomplete);
  }
  std::optional<Finding> recognise() { return overlapping_networks_cause().recognise(question, facts); }
};

TEST_F(OverlappingNetworks, AreProvenOfOneThatIsAskedForOnTheOthersSegment) {
  bridge_is("192.168.16.1/24");
  host_asks_by_the_bridge();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host has 192.168.16.0/24 on bridge0, and 192.168.16.66 of it is by ens4: the networks overlap.");
  EXPECT_EQ(std::ranges::count(finding->evidence, "ip route get 192.168.16.66 on host: dev bridge0"), 1);
  EXPECT_EQ(finding->fix, (std::vector<std::string>{
                              "ip route replace 192.168.16.66 dev ens4  # on host",
                              "ip addr show dev bridge0  # on host: give its network another subnet"}));
}

TEST_F(OverlappingNetworks, AreProvenOfWhatAContainersRouterHasElsewhere) {
  bridge_is("192.168.16.1/24");
  interface("container-one", "eth0")
      .addresses.push_back(InterfaceAddress::parse("192.168.16.100/24").value());
  question.from = "container-one";
  question.outcome.identity.source = ip("192.168.16.100");
  route("container-one", "192.168.16.66", "eth0");
  neighbour("container-one", "eth0", "192.168.16.66", NeighbourState::incomplete);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip addr show dev bridge0  # on host: give its network another subnet"});
}

TEST_F(OverlappingNetworks, AreProvenOfATargetBehindARouter) {
  cable(*facts.network.find("lan-peer"), "eth1", "10.1.9.1/24", {"internal", "eth0"});
  network::Node& internal = facts.add("internal", network::Role::world);
  cable(internal, "eth0", "10.1.9.2/24", {"lan-peer", "eth1"});
  internal.interfaces.front().addresses.push_back(InterfaceAddress::parse("10.1.2.3/32").value());
  bridge_is("10.1.0.1/16");
  ask("10.1.2.3", "internal");
  route("host", "10.1.2.3", "bridge0");
  neighbour("host", "bridge0", "10.1.2.3", NeighbourState::failed);
  facts.sysctls[{"lan-peer", "net/ipv4/ip_forward"}] = "1";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix.front(), "ip route replace 10.1.2.3 via 192.168.16.66 dev ens4  # on host");
}

TEST_F(OverlappingNetworks, AreNotClaimedWhereTheNetworksAreApart) {
  host_asks_by_the_bridge();
  EXPECT_FALSE(recognise()) << "a route that is wrong, not a network";
}

TEST_F(OverlappingNetworks, AreNotClaimedOfOneWhomNobodyHas) {
  bridge_is("192.168.16.1/24");
  ask("192.168.16.77", "");
  route("host", "192.168.16.77", "bridge0");
  neighbour("host", "bridge0", "192.168.16.77", NeighbourState::incomplete);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
