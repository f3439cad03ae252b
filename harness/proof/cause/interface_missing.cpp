#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using network::Interface;
using network::Node;

std::string listed(const Node& node) {
  std::vector<std::string> names;
  for (const Interface& interface : node.interfaces) names.push_back(interface.name);
  return fmt::format("{} has {}", node.name,
                     names.empty() ? "no interface" : fmt::format("{}", fmt::join(names, ", ")));
}

Finding found(const Node& node, std::string summary) {
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = std::move(summary);
  finding.evidence = {listed(node)};
  return finding;
}

/// The interface that now sits where one of that name was: the world names routers for it, or none has it.
const Interface* renamed(Facts& facts, const Node& node, const std::string& wanted) {
  const Node* built = facts.topology().find(node.name);
  for (const Interface& interface : node.interfaces) {
    const bool cable = interface.kind == network::LinkKind::veth && interface.master.empty();
    const Interface* known = built == nullptr ? nullptr : built->find_interface(interface.name);
    const bool to_the_world = known != nullptr && known->peer &&
                              facts.topology().find(known->peer->node) != nullptr &&
                              facts.topology().find(known->peer->node)->role == network::Role::world;
    if (cable && to_the_world && known->gateways.empty() && interface.name != wanted) return &interface;
  }
  return nullptr;
}

/// It was named in the promise.
std::optional<Finding> of_that_name(Facts& facts, const std::string& name, const std::string& interface) {
  const Node* node = facts.node(name);
  if (node == nullptr || node->find_interface(interface) != nullptr) return std::nullopt;
  Finding finding = found(*node, fmt::format("{} has no interface {}.", name, interface));
  if (const Interface* other = renamed(facts, *node, interface)) {
    finding.summary = fmt::format("{} has no interface {}; it may be the one that is called {} now.", name,
                                  interface, other->name);
    finding.fix = {typed_on(name, fmt::format("ip link set {} down name {} up", other->name, interface))};
  } else {
    finding.fix = {typed_on(name, "ip link")};
  }
  return finding;
}

/// An interface that a rule of `node` names as the way out, and that is not there; empty: none.
std::string named_by_a_rule(Facts& facts, const Node& node) {
  for (const Chain& chain : facts.chains(node.name)) {
    for (const Chain::Rule& rule : chain.rules) {
      for (const std::string_view word : {"oifname \"", " -o "}) {
        const auto at = rule.text.find(word);
        if (at == std::string::npos) continue;
        const std::string rest = rule.text.substr(at + word.size());
        const std::string name = rest.substr(0, rest.find_first_of("\" "));
        const bool pattern = name.empty() || name.find_first_of("*+!{") != std::string::npos;
        if (!pattern && node.find_interface(name) == nullptr) return name;
      }
    }
  }
  return {};
}

/// The rules go by a name that the uplink has lost.
std::optional<Finding> of_rules(const Case& question, Facts& facts) {
  const Node* host = facts.node(question.host);
  if (host == nullptr || !question.was_sent() || !question.wanted_through()) return std::nullopt;
  if (taken_in(question, facts, Leg::forward, question.host) == nullptr) return std::nullopt;
  const std::string name = named_by_a_rule(facts, *host);
  const Interface* now = name.empty() ? nullptr : renamed(facts, *host, name);
  if (now == nullptr) return std::nullopt;
  RouteQuestion towards;
  towards.to = question.to;
  if (facts.route(question.host, towards).dev != now->name) return std::nullopt;
  auto finding = of_that_name(facts, question.host, name);
  finding->evidence.push_back(
      fmt::format("rules of {} let out, or translate, what leaves by {}; it leaves by {}", question.host,
                  name, now->name));
  return finding;
}

/// A node that is in no network at all.
std::optional<Finding> nothing_but_loopback(Facts& facts, const std::string& name) {
  const Node* node = facts.node(name);
  if (node == nullptr) return std::nullopt;
  const bool alone = std::ranges::all_of(node->interfaces, [](const Interface& interface) {
    return interface.kind == network::LinkKind::loopback;
  });
  if (!alone) return std::nullopt;
  Finding finding =
      found(*node, fmt::format("{} has no interface but its loopback: no cable is plugged in.", name));
  finding.fix = {fmt::format("ip link add VETH type veth peer name eth0 netns {}", name)};
  return finding;
}

/// The end of `at`'s cable in another node, where it hangs in the air: no port, no address, and nothing there
/// has the network of `at`.
std::optional<Endpoint> dangling(Facts& facts, const Endpoint& at, IpFamily family) {
  const Interface* own = interface_at(facts, at);
  const Node* built = facts.topology().find(at.node);
  const Interface* known = built == nullptr ? nullptr : built->find_interface(at.interface);
  if (own == nullptr || known == nullptr || !known->peer) return std::nullopt;
  const Node* there = facts.node(known->peer->node);
  const Interface* end = interface_at(facts, *known->peer);
  if (there == nullptr || end == nullptr || !end->master.empty() || !addresses(*end, family).empty())
    return std::nullopt;
  const auto mine = addresses(*own, family);
  if (mine.empty()) return std::nullopt;
  for (const Interface& each : there->interfaces) {
    for (const InterfaceAddress& held : addresses(each, family)) {
      if (held.network() == mine.front().network()) return std::nullopt;
    }
  }
  return known->peer;
}

/// Several cables of one network end in a node where nothing joins them.
std::optional<Finding> no_bridge(const Case& question, Facts& facts) {
  std::set<Endpoint> ends;
  std::optional<InterfaceAddress> of;
  for (const std::string& name : {question.from, question.to_node}) {
    const Node* node = facts.node(name);
    if (node == nullptr || node->role != network::Role::container) continue;
    for (const Interface& interface : node->interfaces) {
      if (const auto end = dangling(facts, {name, interface.name}, question.family())) {
        of = addresses(interface, question.family()).front();
        ends.insert(*end);
      }
    }
  }
  if (!of) return std::nullopt;
  const std::string node = ends.begin()->node;
  for (const Node& each : facts.topology().nodes) {
    if (each.role != network::Role::container) continue;
    for (const Interface& interface : each.interfaces) {
      const auto end = dangling(facts, {each.name, interface.name}, question.family());
      const Interface* own = interface_at(facts, {each.name, interface.name});
      if (end && end->node == node && addresses(*own, question.family()).front().network() == of->network())
        ends.insert(*end);
    }
  }
  const Node* host = facts.node(node);
  // One alone may be a cable without a bridge whose end has lost its address.
  if (ends.size() < 2 || host == nullptr) return std::nullopt;
  std::vector<std::string> names;
  for (const Endpoint& end : ends) names.push_back(end.interface);
  Finding finding = found(*host, fmt::format("{} has no bridge for {}: {} are ports of none.", node,
                                             of->network().to_string(), fmt::join(names, ", ")));
  finding.evidence.push_back(
      fmt::format("no interface of {} has an address of {}", node, of->network().to_string()));
  finding.fix = {typed_on(node, "ip link add BRIDGE up type bridge")};
  for (const std::string& name : names) {
    finding.fix.push_back(typed_on(node, fmt::format("ip link set {} master BRIDGE", name)));
  }
  finding.fix.push_back(typed_on(node, "ip addr add GATEWAY/LENGTH dev BRIDGE"));
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link) return of_that_name(facts, question.link->node, question.link->interface);
  if (question.promise == Case::Promise::egress) {
    if (auto finding = of_that_name(facts, question.host, question.via)) return finding;
  }
  if (question.route && !question.route->dev.empty()) {
    if (auto finding = of_that_name(facts, question.from, question.route->dev)) return finding;
  }
  if (!question.to.is_loopback()) {
    for (const std::string& name : {question.from, question.to_node}) {
      if (auto finding = nothing_but_loopback(facts, name)) return finding;
    }
    if (auto finding = no_bridge(question, facts)) return finding;
    return of_rules(question, facts);
  }
  return std::nullopt;
}

}  // namespace

CauseKind interface_missing_cause() {
  return {
      "interface-missing",
      "An interface that should be there is not: it was deleted, never made, or has another name.",
      "Rules, routes and network managers go by names, and a name is all that an interface is known by. A "
      "new "
      "kernel, another slot or `net.ifnames=0` make `ens4` an `eth0`; a veth goes with its other end, and so "
      "a "
      "container whose cable was deleted has nothing but its loopback; a bridge is gone after `ip link del`, "
      "`docker network rm` or a restart of whatever made it, while the cables that were its ports stay. "
      "Rules "
      "by name do not complain: they just match no more.",
      "The node has no interface of the promised name; or the sender or the target has none but its "
      "loopback; or "
      "the cables of several containers of one network end in a node where nothing has that network and they "
      "are "
      "ports of nothing. `ip -br link` in the node lists what there is.",
      "Make it again, as whoever made it did:\n```\nip link set eth4 down name ens4 up\n"
      "ip link add bridge0 up type bridge\nip link set veth1 master bridge0\n```\n"
      "To keep a name, match the card by its hardware address in a .link file of systemd-networkd (`Name=`), "
      "and "
      "let one manager own the bridge.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
