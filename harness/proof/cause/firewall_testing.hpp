#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/proof/diagnosis/testing.hpp"

/// For tests of the causes that a firewall is to blame for: a host with a bridge and an uplink.
namespace plumbline::proof::testing {

class FirewallCase : public ::testing::Test {
 protected:
  FirewallCase() {
    question.protocol = traffic::Protocol::tcp;
    question.port = 80;
    network::Node& host = facts.add("host", network::Role::host);
    add(host, "bridge0", network::LinkKind::bridge, {"192.168.99.1/24", "fd00:99::1/64"});
    add(host, "veth1", network::LinkKind::veth, {}).master = "bridge0";
    add(host, "ens4", network::LinkKind::veth, {"192.168.16.10/24", "2001:db8:16::10/64"});
    add(facts.add("container-one", network::Role::container), "eth0", network::LinkKind::veth,
        {"192.168.99.11/24", "fd00:99::11/64"});
    add(facts.add("internet", network::Role::world), "eth0", network::LinkKind::veth,
        {"203.0.113.80/24", "2001:db8:ffff::80/64"});
    question.kernel.nodes.push_back({"host", "", true});
  }

  static network::Interface& add(network::Node& node, const std::string& name, network::LinkKind kind,
                                 const std::vector<std::string>& addresses) {
    network::Interface& interface = node.interfaces.emplace_back();
    interface.name = name;
    interface.kind = kind;
    for (const std::string& text : addresses) interface.addresses.push_back(*InterfaceAddress::parse(text));
    return interface;
  }

  /// The probe leaves container-one and comes in at the host.
  void comes_to_host(const std::string& from = "192.168.99.11", const std::string& to = "203.0.113.80") {
    see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, from, to);
    see(question, Leg::forward, "host", "veth1", traffic::Direction::in, from, to);
  }
  /// … leaves by the uplink as `as`, and comes to the internet.
  void goes_out(const std::string& as, const std::string& to = "203.0.113.80") {
    see(question, Leg::forward, "host", "ens4", traffic::Direction::out, as, to, 63);
    see(question, Leg::forward, "internet", "eth0", traffic::Direction::in, as, to, 62);
  }
  /// … is answered, and the answer comes in at the host again.
  void answered(const std::string& to, const std::string& by = "203.0.113.80") {
    see(question, Leg::reply, "internet", "eth0", traffic::Direction::out, by, to);
    see(question, Leg::reply, "host", "ens4", traffic::Direction::in, by, to, 63);
  }

  /// A base chain of the host's; nft's rules have handles from 5 on.
  Chain& chain(const std::string& family, const std::string& table, const std::string& name, Hook hook,
               const std::string& policy, const std::vector<std::string>& rules,
               RuleMet::Backend backend = RuleMet::Backend::nftables) {
    Chain& made = facts.chains_of["host"].emplace_back();
    made.backend = backend;
    made.family = family;
    made.table = table;
    made.name = name;
    made.type = table == "nat" ? "nat" : "filter";
    made.hook = hook;
    made.priority = table == "nat" ? "srcnat" : "filter";
    made.policy = policy;
    const std::uint64_t first = backend == RuleMet::Backend::nftables ? 5 : 1;
    for (const std::string& text : rules) made.rules.push_back({first + made.rules.size(), text, "", {}});
    return made;
  }
  Chain& forward(const std::string& policy, const std::vector<std::string>& rules) {
    return chain("inet", "filter", "forward", Hook::forward, policy, rules);
  }

  /// The packet at the forward hook, from bridge to uplink or, of an answer, back.
  Passage& at_forward(Leg leg = Leg::forward, const std::string& source = "192.168.99.11",
                      const std::string& destination = "203.0.113.80") {
    Passage& passage = pass(question, "host", Hook::forward, leg, source, destination);
    passage.iif = leg == Leg::forward ? "bridge0" : "ens4";
    passage.oif = leg == Leg::forward ? "ens4" : "bridge0";
    return passage;
  }
  /// It met the rule of `chain` at `index`; past its end: the policy.
  static RuleMet& meet(Passage& passage, const Chain& chain, std::size_t index, const std::string& verdict) {
    RuleMet& met = passage.rules.emplace_back();
    met.backend = chain.backend;
    met.family = chain.family;
    met.table = chain.table;
    met.chain = chain.name;
    met.verdict = verdict;
    if (index < chain.rules.size()) {
      met.number = chain.rules[index].number;
      met.text = chain.rules[index].text;
    } else {
      met.kind = RuleMet::Kind::policy;
    }
    if (verdict == "drop" || verdict == "reject") passage.verdict = verdict;
    return met;
  }

  Case question = unanswered();
  FakeFacts facts;
};

/// `EXPECT_TRUE(says(finding->evidence, "…"))`: a line holds the words.
inline bool says(const std::vector<std::string>& lines, const std::string& words) {
  for (const std::string& line : lines) {
    if (line.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace plumbline::proof::testing
