#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind neighbour_failed_cause();

namespace {

using kernel::netlink::NeighbourState;
using testing::ip;

class NeighbourFailed : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return neighbour_failed_cause().recognise(question, facts); }
};

class ByNobody : public NeighbourFailed {
 protected:
  ByNobody() {
    ask("203.0.113.80", "internet");
    route("container-one", "203.0.113.80", "eth0", "192.168.99.77");
    neighbour("container-one", "eth0", "192.168.99.77", NeighbourState::failed);
    network::Route& way = facts.network.find("container-one")->routes.emplace_back();
    way.via = ip("192.168.99.77");
    facts.sysctls[{"host", "net/ipv4/ip_forward"}] = "1";
  }
};

TEST_F(ByNobody, IsProvenAndNamesTheRouterOfTheSegment) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "container-one asks eth0's segment for the router 192.168.99.77, and nobody has that address.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "ip route replace default via 192.168.99.1 dev eth0  # on container-one"});
}

TEST_F(ByNobody, IsNotClaimedWhereSomebodyHoldsIt) {
  interface("container-two", "eth0").addresses.push_back(InterfaceAddress::parse("192.168.99.77/24").value());
  EXPECT_FALSE(recognise());
}

TEST_F(ByNobody, IsNotClaimedWhereNobodyWasAsked) {
  facts.neighbours_of.clear();
  EXPECT_FALSE(recognise());
}

/// A published port of the host leads to an address that container-two had.
class ByAStaleRule : public NeighbourFailed {
 protected:
  ByAStaleRule() {
    question.from = "lan-peer";
    network::Node& peer = facts.add("lan-peer", network::Role::world);
    cable(peer, "eth0", "192.168.16.66/24", {"host", "ens4"});
    cable(*facts.network.find("host"), "ens4", "192.168.16.10/24", {"lan-peer", "eth0"});
    ask("192.168.16.10", "host");
    question.outcome.identity.source = ip("192.168.16.66");
    question.port = 8080;
    question.protocol = traffic::Protocol::tcp;
    question.published_at = "container-two";
    testing::see(question, Leg::forward, "lan-peer", "eth0", traffic::Direction::out, "192.168.16.66",
                 "192.168.16.10");
    testing::see(question, Leg::forward, "host", "ens4", traffic::Direction::in, "192.168.16.66",
                 "192.168.16.10");
    route("lan-peer", "192.168.16.10", "eth0");
    route("host", "192.168.99.99", "bridge0");
    route("host", "192.168.16.66", "ens4");
    neighbour("host", "bridge0", "192.168.99.99", NeighbourState::incomplete);
    rules = &facts.chains_of["host"].emplace_back();
    rules->family = "ip";
    rules->table = rules->type = "nat";
    rules->name = "PREROUTING";
    rules->hook = Hook::prerouting;
    rules->rules.push_back({2, "tcp dport 8080 dnat to 192.168.99.99:80", "", {}});
    Passage& in =
        testing::pass(question, "host", Hook::prerouting, Leg::forward, "192.168.16.66", "192.168.16.10");
    RuleMet& met = in.rules.emplace_back();
    met.family = "ip";
    met.table = "nat";
    met.chain = "PREROUTING";
    met.number = 2;
    met.text = rules->rules.front().text;
    met.verdict = "accept";
    testing::pass(question, "host", Hook::postrouting, Leg::forward, "192.168.16.66", "192.168.99.99");
  }
  static void cable(network::Node& node, const std::string& name, std::string_view address,
                    network::Endpoint peer) {
    network::Interface& made = node.interfaces.emplace_back();
    made.name = name;
    made.peer = std::move(peer);
    made.addresses.push_back(InterfaceAddress::parse(address).value());
  }
  Chain* rules = nullptr;
};

TEST_F(ByAStaleRule, NamesTheRuleAndLeadsItToTheServer) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "host asks bridge0's segment for 192.168.99.99, and nobody has that address.");
  EXPECT_EQ(finding->evidence.back(),
            "led there by the rule of host's ip nat PREROUTING (handle 2): tcp dport 8080 dnat to "
            "192.168.99.99:80");
  EXPECT_EQ(finding->fix, (std::vector<std::string>{
                              "iptables-nft -t nat -D PREROUTING 1",
                              "iptables-nft -t nat -I PREROUTING -d 192.168.16.10 -p tcp --dport 8080 "
                              "-j DNAT --to-destination 192.168.99.12:80"}));
}

TEST_F(ByAStaleRule, OfAnEngineIsNotEdited) {
  question.kernel.passages.front().rules.front().chain = rules->name = "DOCKER";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"docker port container-two"});
}

TEST_F(ByAStaleRule, IsOnlyShownWhereNobodyKnowsWhoIsMeant) {
  question.published_at.clear();
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"nft -a list chain ip nat PREROUTING"});
  question.kernel.passages.front().rules.front().chain = rules->name = "DOCKER";
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"nft -a list chain ip nat DOCKER"});
}

TEST_F(ByAStaleRule, IsOnlyShownWhereItsPortIsNotToldAnew) {
  question.kernel.passages.front().rules.front().text = rules->rules.front().text =
      "tcp dport 8080 dnat to 192.168.99.99:80-90";
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"nft -a list chain ip nat PREROUTING"});
}

TEST_F(NeighbourFailed, IsNotClaimedOfACableThatIsDown) {
  ask_in_vain();
  link("container-one:eth0").running = false;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
