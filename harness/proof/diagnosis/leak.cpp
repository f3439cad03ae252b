#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof::firewall {
namespace {

using Status = traffic::ProbeOutcome::Status;
using traffic::Direction;

const Passage* passage_at(const Case& question, Hook hook) {
  const auto& passages = question.kernel.passages;
  const auto found = std::ranges::find_if(passages, [&](const Passage& passage) {
    return passage.node == question.guard && passage.hook == hook && !passage.bridge &&
           passage.leg == Leg::forward;
  });
  return found == passages.end() ? nullptr : &*found;
}

/// What is for the guard itself ends there, unless a published port leads it on.
Hook guarded_hook(const Case& question) {
  if (question.from == question.guard) return Hook::output;
  const bool led_on = passage_at(question, Hook::forward) != nullptr;
  return question.to_node == question.guard && !led_on ? Hook::input : Hook::forward;
}

/// How it shows that the probe got past its guard; empty: it does not.
std::string seen_past(const Case& question) {
  const Status status = question.outcome.status;
  if (!question.delivered_to.empty()) return fmt::format("a listener of {} got it", question.delivered_to);
  if (status == Status::replied || status == Status::no_answer) return "it was answered";
  if (guarded_hook(question) == Hook::input) return {};
  for (const Sighting& sighting : question.journey.sightings) {
    const bool out = sighting.is(Leg::forward, question.guard, Direction::out) && sighting.interface != "lo";
    const bool arrived = !question.to_node.empty() && question.to_node != question.guard &&
                         sighting.is(Leg::forward, question.to_node, Direction::in);
    if (out) return fmt::format("seen leaving {}", place(sighting));
    if (arrived) return fmt::format("seen at {}", place(sighting));
  }
  return {};
}

bool jumps(const RuleMet& rule) {
  return rule.verdict.starts_with("jump ") || rule.verdict.starts_with("goto ");
}

void read_passage(Leak& leak, const Passage& passage, Facts& facts) {
  std::vector<std::string> way;
  for (const RuleMet& rule : passage.rules) {
    if (jumps(rule)) {
      way.push_back(place_of(passage.node, rule).to_string());
      continue;
    }
    const bool returned = rule.kind == RuleMet::Kind::returned || rule.verdict == "return";
    if (returned && !way.empty()) way.pop_back();
    if (rule.verdict != "accept") continue;
    RulePlace accepts = place_of(passage.node, rule);
    const Chain* chain = chain_of(facts, accepts);
    if (chain == nullptr || chain->type != "nat") {
      leak.accepts.push_back(std::move(accepts));
      leak.jumps.push_back(way);
    }
    way.clear();
  }
  leak.traced = true;
}

void read_rules(Leak& leak, Facts& facts) {
  for (const Chain* chain : base_chains(facts, leak.node, leak.hook, leak.packet.source.family(), "filter")) {
    const Decision decision = decide(facts.chains(leak.node), *chain, leak.packet);
    if (decision.verdict != RuleWords::Verdict::accept) continue;
    leak.accepts.push_back(place_of(leak.node, decision));
    std::vector<std::string>& way = leak.jumps.emplace_back();
    for (const auto& [from, rule] : decision.jumps) {
      Decision jump{from, rule, RuleWords::Verdict::jump, {}, {}};
      way.push_back(place_of(leak.node, jump).to_string());
    }
  }
}

const Sighting* at_guard(const Case& question, Direction direction) {
  return question.journey.first(Leg::forward, question.guard, direction);
}

/// In by one port of a bridge and out by another, past IP: the kernel tells of no hook, or is set to show
/// such frames to none.
std::string bridged(const Case& question, Facts& facts) {
  const bool tells = !question.kernel.blind(question.guard);
  const char* tool = question.family() == IpFamily::v4 ? "iptables" : "ip6tables";
  if (!tells && facts.sysctl(question.guard, fmt::format("net/bridge/bridge-nf-call-{}", tool)) == "1")
    return {};
  const network::Node* guard = facts.node(question.guard);
  const Sighting* in = at_guard(question, Direction::other_host);
  if (in == nullptr && tells) in = at_guard(question, Direction::in);
  if (guard == nullptr || in == nullptr) return {};
  const network::Interface* port = guard->find_interface(in->interface);
  if (port == nullptr || port->master.empty()) return {};
  const bool out = std::ranges::any_of(question.journey.sightings, [&](const Sighting& sighting) {
    if (!sighting.is(Leg::forward, question.guard, Direction::out)) return false;
    const network::Interface* by = guard->find_interface(sighting.interface);
    return by != nullptr && by->master == port->master;
  });
  return out ? port->master : std::string();
}

/// False of what the guard's IP never saw: frames of a macvlan on its uplink only leave there, or are
/// somebody else's, which a port of a bridge alone takes in.
bool came_by_ip(const Case& question, Facts& facts) {
  if (question.from == question.guard || at_guard(question, Direction::in) != nullptr) return true;
  const network::Node* guard = facts.node(question.guard);
  return std::ranges::any_of(question.journey.sightings, [&](const Sighting& each) {
    if (!each.is(Leg::forward, question.guard, Direction::other_host) || guard == nullptr) return false;
    const network::Interface* by = guard->find_interface(each.interface);
    return by == nullptr || !by->master.empty();
  });
}

RulePacket packet_at_guard(const Case& question, Facts& facts) {
  const network::Node* guard = facts.node(question.guard);
  const Sighting* in = at_guard(question, Direction::in);
  const IpAddress source =
      in != nullptr && in->packet.ip ? in->packet.ip->source : question.outcome.identity.source;
  const IpAddress to = in != nullptr && in->packet.ip ? in->packet.ip->destination : question.to;
  RulePacket packet = packet_of(question, Leg::forward, source, to);
  if (in != nullptr && guard != nullptr) packet.iif = ip_interface(*guard, in->interface);
  if (question.to_node != question.guard)
    packet.oif = facts
                     .route(question.guard,
                            {to, packet.iif.empty() ? std::nullopt : std::optional(source), packet.iif, 0})
                     .dev;
  return packet;
}

std::optional<IpAddress> v4_of(Facts& facts, const std::string& name) {
  const network::Node* node = facts.node(name);
  if (node == nullptr) return std::nullopt;
  const auto known = network::known_addresses(*node, IpFamily::v4);
  return known.empty() ? std::nullopt : std::optional(known.front().address);
}

/// Whether the decision can only be about IPv4.
bool of_v4_alone(const Decision& decision) {
  if (decision.chain == nullptr) return false;
  if (decision.chain->family == "ip") return true;
  const bool by_words = decision.rule != nullptr &&
                        read_rule(decision.chain->backend, decision.rule->text).family == IpFamily::v4;
  const bool by_jump = std::ranges::any_of(decision.jumps, [](const auto& jump) {
    return read_rule(jump.first->backend, jump.second->text).family == IpFamily::v4;
  });
  return by_words || by_jump;
}

/// Whether rules at the hook deny something of this way over IPv6, if not this target: then it was thought
/// of.
bool denies_v6(const Leak& leak, Facts& facts) {
  for (const Chain& chain : facts.chains(leak.node)) {
    const bool sees = chain.family == "ip6" || chain.family == "inet";
    if (!sees || chain.type == "nat" || (chain.hook && chain.hook != leak.hook)) continue;
    for (const Chain::Rule& rule : chain.rules) {
      RuleWords words = read_rule(chain.backend, rule.text);
      if (!words.stops() || !words.destination || words.family != IpFamily::v6) continue;
      words.destination.reset();
      if (matches(words, leak.packet) == Match::yes) return true;
    }
  }
  return false;
}

/// An exception that somebody made for this very address.
bool meant_so(const Leak& leak) {
  return std::ranges::any_of(leak.accepts, [](const RulePlace& place) {
    const RuleWords words = read_rule(place.backend, place.text);
    return !place.policy && words.destination && !words.destination->inverted;
  });
}

}  // namespace

std::optional<Leak> leaked(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::deny) return std::nullopt;
  Leak leak;
  leak.seen = seen_past(question);
  if (leak.seen.empty()) return std::nullopt;
  leak.node = question.guard;
  leak.hook = guarded_hook(question);
  leak.packet = packet_at_guard(question, facts);
  if (const Passage* passage = passage_at(question, leak.hook)) {
    leak.packet = packet_of(question, Leg::forward, passage->source, passage->destination);
    leak.packet.iif = passage->iif;
    leak.packet.oif = passage->oif;
    read_passage(leak, *passage, facts);
  } else if (leak.bridge = bridged(question, facts); !leak.bridge.empty()) {
    leak.bridged = true;
    return leak;
  } else if (!came_by_ip(question, facts)) {
    return std::nullopt;
  } else {
    // The guard holds the address itself.
    if (leak.packet.oif == "lo") {
      leak.packet.oif.clear();
      leak.hook = Hook::input;
    }
    read_rules(leak, facts);
  }
  for (const RulePlace& accepts : leak.accepts) {
    if (leak.later) break;
    if (const auto late = comes_too_late(accepts, leak.packet, facts, false)) leak.later = late->place;
  }
  return leak;
}

std::optional<std::string> went_past(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::deny || came_by_ip(question, facts)) return std::nullopt;
  const bool met = std::ranges::any_of(question.kernel.passages, [&](const Passage& passage) {
    return passage.node == question.guard && passage.leg == Leg::forward;
  });
  std::string seen = seen_past(question);
  return met || seen.empty() ? std::nullopt : std::optional(std::move(seen));
}

std::optional<OpenV6> open_over_v6(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::deny || question.family() != IpFamily::v6) return std::nullopt;
  auto leak = leaked(question, facts);
  if (!leak || leak->bridged || leak->later || meant_so(*leak) || denies_v6(*leak, facts))
    return std::nullopt;
  const auto source = v4_of(facts, question.from);
  const network::Node* target = facts.node(question.to_node);
  if (!source || target == nullptr) return std::nullopt;
  for (const InterfaceAddress& held : network::known_addresses(*target, IpFamily::v4)) {
    RulePacket packet = leak->packet;
    packet.source = *source;
    packet.destination = held.address;
    if (question.protocol == traffic::Protocol::ping) packet.protocol = 1;
    if (question.port != 0) packet.destination_port = question.port;
    if (!packet.oif.empty()) {
      const RouteAnswer way = facts.route(question.guard, {held.address, {}, {}, 0});
      if (way.found()) packet.oif = way.dev;
    }
    const auto decision = stopped_by_rules(facts, question.guard, leak->hook, packet);
    if (decision && of_v4_alone(*decision)) {
      return OpenV6{std::move(*leak), place_of(question.guard, *decision), packet};
    }
  }
  return std::nullopt;
}

}  // namespace plumbline::proof::firewall
