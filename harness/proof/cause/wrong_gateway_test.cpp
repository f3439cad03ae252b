#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind wrong_gateway_cause();

namespace {

using testing::ip;
using traffic::Direction;

class WrongGateway : public testing::Ways {
 protected:
  WrongGateway() {
    to_host();
    route("host", "203.0.113.80", "192.168.16.99", "ens4");
    in_table("host", "0.0.0.0/0", "192.168.16.99", "ens4");
  }
  std::optional<Finding> recognise() { return wrong_gateway_cause().recognise(question, facts); }

  void neighbour(kernel::netlink::NeighbourState state, std::optional<MacAddress> mac) {
    facts.neighbours_of["host"].push_back({"ens4", ip("192.168.16.99"), mac, state});
  }
};

TEST_F(WrongGateway, IsProvenWhereItIsAskedForInVain) {
  neighbour(kernel::netlink::NeighbourState::failed, std::nullopt);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host sends what goes to 203.0.113.80 to the router 192.168.16.99, which nobody on the link of "
            "ens4 is; "
            "the router there is 192.168.16.1.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip route replace default via 192.168.16.1 dev ens4"});
}

TEST_F(WrongGateway, IsLikelyWhereNobodyHasTheAddress) {
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(WrongGateway, IsNotClaimedOfAStrangerWhoAnswers) {
  neighbour(kernel::netlink::NeighbourState::reachable, MacAddress{});
  EXPECT_FALSE(recognise());
}

TEST_F(WrongGateway, IsNotClaimedOfARouterThatIsThere) {
  route("host", "203.0.113.80", "192.168.16.1", "ens4");
  EXPECT_FALSE(recognise());
}

TEST_F(WrongGateway, IsNotClaimedWhereTheLinkIsDown) {
  mtu("host", "ens4", 1500);
  facts.links["host:ens4"].running = false;
  EXPECT_FALSE(recognise());
}

TEST_F(WrongGateway, IsNotClaimedWhereWhoeverMayBeItIsDown) {
  mtu("gateway", "lan", 1500);
  facts.links["gateway:lan"].up = false;
  EXPECT_FALSE(recognise());
}

class GatewayThatIsNone : public testing::Ways {
 protected:
  GatewayThatIsNone() {
    network::Node& peer = facts.add("lan-peer", Role::world);
    cable(peer, "eth0", "192.168.16.66/24", {"lan", "lan-peer"});
    network::Node& lan = facts.add("lan", Role::world);
    network::Interface& segment = cable(lan, "lan", "", {});
    segment.kind = network::LinkKind::bridge;
    segment.peer.reset();
    cable(lan, "lan-peer", "", {"lan-peer", "eth0"}).master = "lan";
    cable(lan, "host", "", {"host", "ens4"}).master = "lan";
    facts.network.find("host")->find_interface("ens4")->peer = network::Endpoint{"lan", "host"};
    facts.sysctls[{"lan-peer", "net/ipv4/ip_forward"}] = "0";
    route("host", "203.0.113.80", "192.168.16.66", "ens4");
    in_table("host", "0.0.0.0/0", "192.168.16.66", "ens4");
    to_host();
    see(Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "203.0.113.80", 63);
    see(Leg::forward, "lan-peer", "eth0", Direction::in, "192.168.16.10", "203.0.113.80", 63);
  }
  std::optional<Finding> recognise() { return wrong_gateway_cause().recognise(question, facts); }
};

TEST_F(GatewayThatIsNone, IsProvenWhereItGotThePacketAndForwardsNothing) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host sends what goes to 203.0.113.80 to 192.168.16.66, which is lan-peer and forwards nothing; "
            "the router "
            "is 192.168.16.1.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip route replace default via 192.168.16.1 dev ens4"});
}

TEST_F(GatewayThatIsNone, IsProvenOfAContainersWhereNobodyKnowsTheTarget) {
  network::Node& two = facts.add("container-two", Role::container);
  cable(two, "eth0", "192.168.99.12/24", {"host", "veth2"});
  cable(*facts.network.find("host"), "veth2", "", {"container-two", "eth0"}).master = "bridge0";
  facts.sysctls[{"container-two", "net/ipv4/ip_forward"}] = "0";
  route("container-one", "203.0.113.80", "192.168.99.12", "eth0");
  in_table("container-one", "0.0.0.0/0", "192.168.99.12", "eth0");
  question.journey.sightings.clear();
  question.to_node.clear();
  see(Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", "203.0.113.80");
  see(Leg::forward, "host", "veth2", Direction::out, "192.168.99.11", "203.0.113.80");
  see(Leg::forward, "container-two", "eth0", Direction::in, "192.168.99.11", "203.0.113.80");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "ip route replace default via 192.168.99.1 dev eth0  # on container-one"});
}

TEST_F(GatewayThatIsNone, IsNotClaimedOfTheRouterThatTheWorldNames) {
  facts.network.find("host")->find_interface("ens4")->gateways = {ip("192.168.16.66")};
  EXPECT_FALSE(recognise());
}

TEST_F(GatewayThatIsNone, IsNotClaimedOfARouterThatJustDoesNotForward) {
  facts.network.find("host")->find_interface("ens4")->gateways.clear();
  EXPECT_TRUE(recognise());
  cable(*facts.network.find("lan-peer"), "eth1", "10.0.0.1/24", {});
  EXPECT_FALSE(recognise());
}

TEST_F(GatewayThatIsNone, IsNotClaimedWhereItTakesThePacketItself) {
  route("lan-peer", "203.0.113.80", "", "lo", network::kLocalTable);
  facts.routes["lan-peer 203.0.113.80"].type = kernel::netlink::LookupType::local;
  EXPECT_FALSE(recognise());
}

TEST_F(GatewayThatIsNone, IsNotClaimedWhereARuleStoppedIt) {
  Passage& passage = testing::pass(question, "lan-peer", Hook::forward, Leg::forward, "192.168.16.10",
                                   "203.0.113.80", "drop");
  passage.rules.emplace_back().verdict = "drop";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
