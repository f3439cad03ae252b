#include "harness/proof/diagnosis/nat.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/publishing.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof::firewall {
namespace {

using Status = traffic::ProbeOutcome::Status;
using traffic::Direction;
using Verdict = RuleWords::Verdict;

/// A cable of its own that leads to no container.
bool is_uplink(const network::Node& node, const std::string& name, Facts& facts) {
  const network::Interface* interface = node.find_interface(name);
  if (interface == nullptr || !interface->master.empty()) return false;
  if (interface->kind == network::LinkKind::bridge || interface->kind == network::LinkKind::loopback)
    return false;
  if (!interface->peer) return true;
  const network::Node* beyond = facts.topology().find(interface->peer->node);
  return beyond == nullptr || beyond->role != network::Role::container;
}

IpAddress sent_as(const Case& question) {
  const Sighting* left = question.journey.left(question.from);
  return left != nullptr && left->packet.ip ? left->packet.ip->source : question.outcome.identity.source;
}

/// A rule in the chain's table that would translate it, left it by another interface.
const Chain::Rule* for_another_uplink(const Chain& chain, const RulePacket& packet) {
  const auto found = std::ranges::find_if(chain.rules, [&](const Chain::Rule& rule) {
    const RuleWords words = read_rule(chain.backend, rule.text);
    return words.translates_source() && words.oif && matches_but_for_oif(words, packet) == Match::yes &&
           matches(words, packet) == Match::no;
  });
  return found == chain.rules.end() ? nullptr : &*found;
}

/// The packet at the last hook on its way out, as the kernel told it; null: it did not, or not all.
const Passage* at_postrouting(const Case& question, const Departure& departure) {
  const auto& passages = question.kernel.passages;
  const auto found = std::ranges::find_if(passages, [&](const Passage& passage) {
    return passage.node == departure.node && !passage.bridge && passage.hook == Hook::postrouting &&
           passage.leg == Leg::forward && passage.oif == departure.uplink;
  });
  return found == passages.end() || question.kernel.blind(departure.node) ? nullptr : &*found;
}

bool is_in(const RuleMet& rule, const Chain& chain) {
  return rule.backend == chain.backend && rule.family == chain.family && rule.table == chain.table &&
         rule.chain == chain.name;
}

/// How the packet came through a base chain of type nat, which only a flow's first packet meets.
struct Met {
  const RuleMet* accepted = nullptr;  ///< by the rule that let it pass; null: it came to the chain's end
};
/// Absent: the trace does not tell of the chain, or not how it came through.
std::optional<Met> met(const Passage& passage, const Chain& base, const std::vector<const Chain*>& bases) {
  bool within = false;
  for (const RuleMet& rule : passage.rules) {
    const auto of_base = [&](const Chain* chain) { return is_in(rule, *chain); };
    if (is_in(rule, base))
      within = true;
    else if (std::ranges::any_of(bases, of_base))
      within = false;
    if (!within) continue;
    if (rule.kind == RuleMet::Kind::policy) return Met{};
    if (rule.verdict != "accept") continue;
    const bool lets_pass = read_rule(rule.backend, rule.text).verdict == Verdict::accept;
    return lets_pass ? std::optional(Met{&rule}) : std::nullopt;
  }
  return std::nullopt;
}

/// As the kernel told it.
std::optional<SourceNat> translated_by(const Case& question, const Departure& departure) {
  for (const Passage& passage : question.kernel.passages) {
    const bool there = passage.node == departure.node && !passage.bridge &&
                       passage.hook == Hook::postrouting && passage.leg == Leg::forward &&
                       passage.oif == departure.uplink;
    if (!there) continue;
    for (const RuleMet& rule : passage.rules) {
      const RuleWords words = read_rule(rule.backend, rule.text);
      if (words.translates_source())
        return SourceNat{SourceNat::Kind::covers, place_of(passage.node, rule), words};
    }
  }
  return std::nullopt;
}

std::string served_network(const network::Node& node, const IpAddress& address) {
  for (const network::Interface& interface : node.interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      if (held.network().contains(address)) return held.network().to_string();
    }
  }
  return address.to_string();
}

/// The flavour of iptables whose rules the node has, and beside which nft's own would be a stranger.
std::optional<std::string> iptables_of(Facts& facts, const std::string& node,
                                       const std::vector<const Chain*>& nat, bool v4) {
  const Chain* like = nat.empty() ? nullptr : nat.front();
  if (like == nullptr) {
    const auto& chains = facts.chains(node);
    const auto found = std::ranges::find_if(chains, [&](const Chain& chain) {
      return chain.hook && chain.family == (v4 ? "ip" : "ip6") && !chain.name.empty() &&
             chain.name.front() >= 'A' && chain.name.front() <= 'Z';
    });
    if (found != chains.end()) like = &*found;
  }
  if (like == nullptr || like->name.empty() || like->name.front() < 'A' || like->name.front() > 'Z')
    return std::nullopt;
  const bool legacy = like->backend == RuleMet::Backend::iptables_legacy;
  return fmt::format("{}-{}", v4 ? "iptables" : "ip6tables", legacy ? "legacy" : "nft");
}

bool is_first_address(const network::Node& node, const std::string& uplink, const IpAddress& address) {
  const network::Interface* interface = node.find_interface(uplink);
  if (interface == nullptr) return false;
  const auto first = std::ranges::find_if(interface->addresses, [&](const InterfaceAddress& held) {
    return held.address.family() == address.family() && (address.is_v4() || !held.address.is_link_local());
  });
  return first != interface->addresses.end() && first->address == address;
}

}  // namespace

std::optional<Departure> departure(const Case& question, Facts& facts) {
  if (question.host.empty() || question.from == question.host) return std::nullopt;
  const network::Node* host = facts.node(question.host);
  if (host == nullptr) return std::nullopt;
  std::optional<Departure> first;
  for (const Sighting& sighting : question.journey.sightings) {
    if (!sighting.is(Leg::forward, question.host, Direction::out) || !sighting.packet.ip) continue;
    if (!is_uplink(*host, sighting.interface, facts)) continue;
    const bool silent = question.promise == Case::Promise::silent;
    Departure departure;
    departure.node = question.host;
    departure.uplink = sighting.interface;
    departure.seen = sighting.packet.ip->source;
    departure.own = silent ? departure.seen : sent_as(question);
    departure.destination = sighting.packet.ip->destination;
    departure.packet = packet_of(question, Leg::forward, departure.own, departure.destination);
    if (silent) departure.packet.protocol = sighting.packet.ip->protocol;
    departure.packet.oif = sighting.interface;
    const bool as_promised = question.promise == Case::Promise::egress && question.as &&
                             departure.uplink == question.via && departure.seen == *question.as;
    if (!as_promised) return departure;
    if (!first) first = std::move(departure);
  }
  return first;
}

SourceNat source_nat(const Case& question, const Departure& departure, Facts& facts) {
  SourceNat nat;
  if (const auto met = translated_by(question, departure)) return *met;
  const auto& chains = facts.chains(departure.node);
  const auto take = [&](SourceNat::Kind kind, const Chain& chain, const Chain::Rule& rule) {
    nat.kind = kind;
    nat.words = read_rule(chain.backend, rule.text);
    nat.place = place_of(departure.node, Decision{&chain, &rule, nat.words.verdict, {}, {}});
  };
  const Passage* told = at_postrouting(question, departure);
  const auto bases = base_chains(facts, departure.node, Hook::postrouting, departure.own.family(), "nat");
  for (const Chain* base : bases) {
    const auto seen = told == nullptr ? std::nullopt : met(*told, *base, bases);
    if (seen && seen->accepted != nullptr) {
      nat.kind = SourceNat::Kind::exempt;
      nat.words = read_rule(seen->accepted->backend, seen->accepted->text);
      nat.place = place_of(departure.node, *seen->accepted);
      continue;
    }
    const Decision decision = seen ? Decision{} : decide(chains, *base, departure.packet);
    if (!decision.certain()) {
      nat.kind = SourceNat::Kind::doubt;
      return nat;
    }
    if (decision.rule != nullptr) {
      const bool accepts = decision.verdict == Verdict::accept;
      take(accepts ? SourceNat::Kind::exempt : SourceNat::Kind::covers, *decision.chain, *decision.rule);
      if (!accepts) return nat;
      continue;
    }
    for (const Chain& chain : chains) {
      const bool same =
          chain.backend == base->backend && chain.family == base->family && chain.table == base->table;
      if (!same || nat.kind != SourceNat::Kind::none) continue;
      if (const Chain::Rule* rule = for_another_uplink(chain, departure.packet))
        take(SourceNat::Kind::other_uplink, chain, *rule);
    }
  }
  return nat;
}

bool source_promised_otherwise(const Case& question, const Departure& departure) {
  return question.promise == Case::Promise::egress && question.as && departure.uplink == question.via &&
         departure.seen.family() == question.as->family() && departure.seen != *question.as;
}

bool no_way_back(const Case& question, const Departure& departure, Facts& facts) {
  if (!question.wanted_through() || question.outcome.status != Status::timeout) return false;
  const auto& sightings = question.journey.sightings;
  const Sighting* furthest = question.journey.furthest();
  const bool beyond =
      furthest != nullptr && furthest->node != question.host && furthest->packet.direction == Direction::in;
  const bool came_back = question.journey.first(Leg::reply, question.host, Direction::in) != nullptr;
  if (!beyond || came_back) return false;
  // Whoever had the answer last, or was to give it.
  std::string node = furthest->node;
  for (const Sighting& sighting : sightings) {
    if (sighting.leg == Leg::reply) node = sighting.node;
  }
  if (node == question.host) return false;
  const RouteAnswer back = facts.route(node, {departure.seen, {}, {}, 0});
  // A way of somebody else's leads astray: to a node that has the address for its own, or back and forth.
  return !back.found() || back.type != kernel::netlink::LookupType::unicast;
}

std::vector<std::string> translate_commands(Facts& facts, const Departure& departure,
                                            const std::optional<IpAddress>& as) {
  const bool v4 = departure.own.is_v4();
  const network::Node* node = facts.node(departure.node);
  const std::string from = node == nullptr ? departure.own.to_string() : served_network(*node, departure.own);
  const bool masquerade = !as || (node != nullptr && is_first_address(*node, departure.uplink, *as));
  std::vector<std::string> commands;
  const auto chains = base_chains(facts, departure.node, Hook::postrouting, departure.own.family(), "nat");
  if (const auto tool = iptables_of(facts, departure.node, chains, v4)) {
    return {fmt::format("{} -t nat -I POSTROUTING -s {} -o {} -j {}", *tool, from, departure.uplink,
                        masquerade ? std::string("MASQUERADE") : "SNAT --to-source " + as->to_string())};
  }
  std::string chain = v4 ? "ip nat postrouting" : "ip6 nat postrouting";
  if (chains.empty()) {
    commands.push_back(fmt::format("nft add table {} nat", v4 ? "ip" : "ip6"));
    commands.push_back(
        fmt::format("nft add chain {} '{{ type nat hook postrouting priority srcnat; }}'", chain));
  } else {
    chain = fmt::format("{} {} {}", chains.front()->family, chains.front()->table, chains.front()->name);
  }
  const std::string_view family = !chain.starts_with("inet") ? "" : v4 ? "ip " : "ip6 ";
  const std::string snat = as ? fmt::format("snat {}to {}", family, as->to_string()) : "";
  commands.push_back(fmt::format("nft insert rule {} {} saddr {} oifname {} {}", chain, v4 ? "ip" : "ip6",
                                 from, departure.uplink, masquerade ? "masquerade" : snat));
  return commands;
}

std::optional<RulePlace> met_destination_nat(const Case& question, const std::string& node) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward || passage.node != node || passage.bridge) continue;
    for (const RuleMet& rule : passage.rules) {
      if (read_rule(rule.backend, rule.text).translates_destination()) return place_of(node, rule);
    }
  }
  return std::nullopt;
}

std::optional<RulePlace> destination_nat(const Case& question, Facts& facts, const std::string& node,
                                         const std::optional<IpAddress>& to) {
  if (auto met = met_destination_nat(question, node)) return met;
  const Hook hook = node == question.from ? Hook::output : Hook::prerouting;
  const auto bases = base_chains(facts, node, hook, question.family(), "nat");
  const auto taken_in = [&](const Chain& chain) {
    return std::ranges::any_of(bases, [&](const Chain* base) {
      const bool same =
          chain.backend == base->backend && chain.family == base->family && chain.table == base->table;
      return &chain == base || (same && !chain.hook);
    });
  };
  const RulePacket packet = packet_of(question, Leg::forward, question.outcome.identity.source, question.to);
  std::optional<RulePlace> only;
  for (const Chain& chain : facts.chains(node)) {
    if (!taken_in(chain)) continue;
    for (const Chain::Rule& rule : chain.rules) {
      const RuleWords words = read_rule(chain.backend, rule.text);
      if (!words.translates_destination() || matches_but_for_interfaces(words, packet) == Match::no) continue;
      const Lead lead = lead_of(rule.text);
      if (to && lead.address && *lead.address != *to) continue;
      if (only) return std::nullopt;
      only = place_of(node, Decision{&chain, &rule, words.verdict, {}, {}});
    }
  }
  return only;
}

}  // namespace plumbline::proof::firewall
