// What rules do to ARP and neighbour discovery shows in no trace of the probe: it is never sent.
#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind arp_unanswered_cause();
CauseKind bridge_rule_drop_cause();
CauseKind input_drop_cause();

namespace {

using kernel::netlink::NeighbourState;
using testing::ip;

/// container-one asks for its gateway, the host's bridge, over IPv6 or IPv4.
class Discovery : public testing::Ways {
 protected:
  void asks(std::string_view from, std::string_view to) {
    question.to = ip(to);
    question.to_node = "host";
    question.outcome.identity.source = ip(from);
    question.outcome.status = traffic::ProbeOutcome::Status::local_error;
    question.outcome.error_number = EHOSTUNREACH;
    route("container-one", std::string(to), "", "eth0");
    facts.neighbours_of["container-one"].push_back({"eth0", ip(to), {}, NeighbourState::failed});
  }
  void over_ipv6() {
    hold("container-one", "eth0", "fd00:99::11/64");
    hold("host", "bridge0", "fd00:99::1/64");
    asks("fd00:99::11", "fd00:99::1");
  }
  void hold(std::string_view node, std::string_view interface, std::string_view address) {
    for (network::Interface& each : facts.network.find(node)->interfaces) {
      if (each.name == interface) each.addresses.push_back(*InterfaceAddress::parse(address));
    }
  }
  Chain& chain(const std::string& family, Hook hook, const std::string& policy,
               const std::vector<std::string>& rules) {
    Chain& made = facts.chains_of["host"].emplace_back();
    made.family = family;
    made.table = "filter";
    made.name = "shut";
    made.type = "filter";
    made.hook = hook;
    made.policy = policy;
    for (const std::string& text : rules) made.rules.push_back({5 + made.rules.size(), text, "", {}});
    return made;
  }
};

TEST_F(Discovery, IsStoppedByAnInputChainThatAcceptsOnlyWhatIsEstablished) {
  over_ipv6();
  chain("ip6", Hook::input, "drop", {"ct state established,related accept"});
  const auto finding = input_drop_cause().recognise(question, facts);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "The policy of host's ip6 filter shut drops neighbour discovery, which is for the node itself.");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"nft insert rule ip6 filter shut meta l4proto ipv6-icmp accept"});
}

TEST_F(Discovery, IsNotSaidToBeStoppedWhereARuleMayLetItThrough) {
  over_ipv6();
  chain("ip6", Hook::input, "drop", {"icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"});
  EXPECT_FALSE(input_drop_cause().recognise(question, facts));
  EXPECT_TRUE(arp_unanswered_cause().recognise(question, facts));
}

TEST_F(Discovery, OverIPv4IsOfNoConcernToIPsRules) {
  asks("192.168.99.11", "192.168.99.1");
  chain("inet", Hook::input, "drop", {});
  EXPECT_FALSE(input_drop_cause().recognise(question, facts));
}

TEST_F(Discovery, OverIPv4IsStoppedByABridgesRuleAboutArp) {
  asks("192.168.99.11", "192.168.99.1");
  chain("bridge", Hook::input, "accept", {"iifname \"veth1\" ether type arp drop"});
  const auto finding = bridge_rule_drop_cause().recognise(question, facts);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"nft insert rule bridge filter shut ether type arp accept"});
}

}  // namespace
}  // namespace plumbline::proof
