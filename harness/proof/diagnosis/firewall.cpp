#include "harness/proof/diagnosis/firewall.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "harness/kernel/nftables/names.hpp"
#include "harness/proof/diagnosis/port_behind_nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof::firewall {
namespace {

using Backend = RuleMet::Backend;
using Status = traffic::ProbeOutcome::Status;
using Verdict = RuleWords::Verdict;
using Promise = Case::Promise;

std::string verdict_text(Verdict verdict) {
  return verdict == Verdict::reject ? "reject" : verdict == Verdict::drop ? "drop" : "accept";
}

/// Without what its counter had counted.
std::string without_counts(std::string text) {
  const std::size_t at = text.find("counter packets ");
  if (at == std::string::npos) return text;
  std::size_t end = at + std::string_view("counter").size();
  for (int words = 0; words < 4 && end < text.size(); ++words)
    end = std::min(text.find(' ', end + 1), text.size());
  return text.erase(at + std::string_view("counter").size(), end - at - std::string_view("counter").size());
}

std::uint16_t icmp_of(IpFamily family) {
  return family == IpFamily::v4 ? std::uint16_t{IPPROTO_ICMP} : std::uint16_t{IPPROTO_ICMPV6};
}

}  // namespace

int priority_of(const Chain& chain) {
  constexpr std::array<std::pair<std::string_view, int>, 8> names{{{"raw", -300},
                                                                   {"mangle", -150},
                                                                   {"dstnat", -100},
                                                                   {"filter", 0},
                                                                   {"security", 50},
                                                                   {"srcnat", 100},
                                                                   {"nat", 100},
                                                                   {"", 0}}};
  std::string text;
  for (const char c : chain.priority) {
    if (c != ' ' && c != '+') text += c;
  }
  int number = 0;
  for (const auto& [name, value] : names) {
    if (!text.starts_with(name)) continue;
    const bool earlier = chain.hook == Hook::prerouting || chain.hook == Hook::output;
    number = name == "nat" && earlier ? -value : value;
    text.erase(0, name.size());
    break;
  }
  int further = 0;
  std::from_chars(text.data(), text.data() + text.size(), further);
  return number + further;
}

RulePacket packet_of(const Case& question, Leg leg, const IpAddress& source, const IpAddress& destination) {
  RulePacket packet;
  packet.source = source;
  packet.destination = destination;
  packet.protocol = protocol_of(question);
  const bool ports = question.port != 0;
  if (leg == Leg::forward) {
    packet.state = "new";
    if (ports && destination == question.to) packet.destination_port = question.port;
  } else if (leg == Leg::reply) {
    packet.state = "established";
    if (ports && source == question.to) packet.source_port = question.port;
  } else {
    packet.state = "related";
    packet.protocol = icmp_of(source.family());
  }
  return packet;
}

std::string ip_interface(const network::Node& node, const std::string& name) {
  const network::Interface* interface = node.find_interface(name);
  return interface == nullptr || interface->master.empty() ? name : interface->master;
}

std::optional<Decision> stopped_by_rules(Facts& facts, const std::string& node, Hook hook,
                                         const RulePacket& packet) {
  for (const Chain* chain : base_chains(facts, node, hook, packet.source.family(), "filter")) {
    Decision decision = decide(facts.chains(node), *chain, packet);
    if (decision.stops()) return decision;
    if (!decision.certain()) return std::nullopt;
  }
  return std::nullopt;
}

Decision decide_frame(Facts& facts, const std::string& node, Hook hook, const RulePacket& frame) {
  const auto& chains = facts.chains(node);
  for (const Chain& chain : chains) {
    if (chain.family != "bridge" || chain.hook != hook) continue;
    Decision decision = decide(chains, chain, frame);
    if (decision.stops() || !decision.certain()) return decision;
  }
  return {nullptr, nullptr, Verdict::accept, {}, {}};
}

const Chain* chain_of(Facts& facts, const RulePlace& place) {
  const auto& chains = facts.chains(place.node);
  const auto found = std::ranges::find_if(chains, [&](const Chain& chain) {
    return chain.backend == place.backend && chain.family == place.family && chain.table == place.table &&
           chain.name == place.chain;
  });
  return found == chains.end() ? nullptr : &*found;
}

namespace {

/// Its index in its chain; absent: it is there no more.
std::optional<std::size_t> index_of(const Chain& chain, std::uint64_t number) {
  const auto found = std::ranges::find(chain.rules, number, &Chain::Rule::number);
  if (found == chain.rules.end()) return std::nullopt;
  return static_cast<std::size_t>(found - chain.rules.begin());
}

/// Whether `late`, which comes after `early`, was to be its exception rather than the reverse.
bool is_exception(const RuleWords& late, const RuleWords& early) {
  if (late.doubt || early.doubt || !covers(early, late, false)) return false;
  const bool catches_all = covers(late, early, true) && !covers(early, late, true);
  return !catches_all;
}

}  // namespace

std::optional<Late> comes_too_late(const RulePlace& place, const RulePacket& packet, Facts& facts,
                                   bool wanted_through) {
  const Chain* chain = chain_of(facts, place);
  if (chain == nullptr || place.policy) return std::nullopt;
  const auto index = index_of(*chain, place.number);
  if (!index) return std::nullopt;
  const RuleWords early = read_rule(chain->backend, chain->rules[*index].text);
  for (std::size_t i = *index + 1; i < chain->rules.size(); ++i) {
    const RuleWords late = read_rule(chain->backend, chain->rules[i].text);
    if (late.verdict == Verdict::none || matches(late, packet) != Match::yes) continue;
    const bool wanted = wanted_through ? late.verdict == Verdict::accept : late.stops();
    if (!wanted || !is_exception(late, early)) continue;
    Decision decision{chain, &chain->rules[i], late.verdict, {}, {}};
    return Late{place_of(place.node, decision), covers(early, late, true)};
  }
  return std::nullopt;
}

namespace {

void learn_port(const Case& question, const std::string& node, Leg leg, RulePacket& packet) {
  if (leg != Leg::forward || question.port == 0 || packet.destination_port) return;
  packet.destination_port = port_behind_nat(question, node, packet.destination);
}

bool answer_was_there(const Case& question) {
  return !question.journey.answers().empty() ||
         std::ranges::any_of(question.kernel.passages, [](const Passage& p) { return p.leg == Leg::reply; });
}

/// Whether a packet of `leg` came back by a node that the probe itself did not pass.
bool is_half(const Case& question, Facts& facts, const std::string& node, Leg leg) {
  return (leg == Leg::reply || leg == Leg::error) && !passed_by(question, facts, node);
}

/// To conntrack UDP's begins a connection, and all else none.
std::string state_of_half(const RulePacket& answer) {
  return answer.protocol == IPPROTO_UDP ? "new" : "invalid";
}

std::optional<Stop> reckoned_stop(Facts& facts, const std::string& node, Hook hook, Leg leg,
                                  const RulePacket& packet) {
  const auto decision = stopped_by_rules(facts, node, hook, packet);
  if (!decision) return std::nullopt;
  Stop stop;
  stop.place = place_of(node, *decision);
  stop.leg = leg;
  stop.hook = hook;
  stop.packet = packet;
  return stop;
}

bool forwards(Facts& facts, const std::string& node, IpFamily family, const std::string& iif) {
  return facts.sysctl(node, fmt::format("net/ipv{}/conf/{}/forwarding", version(family), iif)) != "0";
}

bool has_frame_rules(Facts& facts, const std::string& node) {
  return std::ranges::any_of(facts.chains(node),
                             [](const Chain& chain) { return chain.family == "bridge" && chain.hook; });
}

/// The bridge's port behind which `to` is; empty: not known.
std::string port_towards(Facts& facts, const std::string& node, const std::string& bridge,
                         const std::string& to) {
  // As it was read back with all others: only so it is known what is plugged in where.
  const network::Node* known = facts.topology().find(node);
  if (known == nullptr) return {};
  const auto found = std::ranges::find_if(known->interfaces, [&](const network::Interface& each) {
    return each.master == bridge && each.peer && each.peer->node == to;
  });
  return found == known->interfaces.end() ? std::string() : found->name;
}

/// Before it is known by which port it leaves, and after it is of no matter by which it came.
RulePacket at_bridge_hook(RulePacket frame, Hook hook) {
  if (hook == Hook::prerouting) frame.oif.clear();
  if (hook == Hook::postrouting) frame.iif.clear();
  return frame;
}

/// What the bridge's own rules do with it from port to port, and at which hook.
std::pair<Decision, Hook> decide_bridged(Facts& facts, const std::string& node, const RulePacket& frame) {
  for (const Hook hook : {Hook::prerouting, Hook::forward, Hook::postrouting}) {
    Decision decision = decide_frame(facts, node, hook, at_bridge_hook(frame, hook));
    if (decision.verdict != Verdict::accept) return {std::move(decision), hook};
  }
  return {Decision{nullptr, nullptr, Verdict::accept, {}, {}}, Hook::forward};
}

/// A frame that a bridge was to pass on to another of its ports, and did not: the port that it came by has
/// seen it go to another. The bridge's rules stopped it, or IP's where such frames meet them.
std::optional<Stop> reckon_on_bridge(const Case& question, Facts& facts) {
  const bool arrived = !question.to_node.empty() && question.journey.arrived(question.to_node) != nullptr;
  const Sighting* last = question.journey.furthest();
  if (arrived || answer_was_there(question) || last == nullptr || !last->packet.ip) return std::nullopt;
  if (last->packet.direction != traffic::Direction::other_host || !question.kernel.blind(last->node)) {
    return std::nullopt;
  }
  const network::Node* node = facts.node(last->node);
  const std::string bridge = node == nullptr ? std::string() : ip_interface(*node, last->interface);
  if (bridge.empty() || bridge == last->interface) return std::nullopt;
  RulePacket packet =
      packet_of(question, Leg::forward, last->packet.ip->source, last->packet.ip->destination);
  RulePacket frame = packet;
  frame.iif = last->interface;
  frame.oif = port_towards(facts, last->node, bridge, question.to_node);
  if (frame.oif.empty() && has_frame_rules(facts, last->node)) return std::nullopt;
  // They come before IP's.
  const auto [decision, hook] = decide_bridged(facts, last->node, frame);
  if (decision.stops()) {
    Stop stop;
    stop.place = place_of(last->node, decision);
    stop.hook = hook;
    stop.packet = at_bridge_hook(frame, hook);
    return stop;
  }
  if (!decision.certain()) return std::nullopt;
  const char* tool = packet.source.is_v4() ? "iptables" : "ip6tables";
  if (facts.sysctl(last->node, fmt::format("net/bridge/bridge-nf-call-{}", tool)) != "1") return std::nullopt;
  packet.iif = packet.oif = bridge;
  return reckoned_stop(facts, last->node, Hook::forward, Leg::forward, packet);
}

/// By the rules as they are, where the kernel's own reports are missing.
std::optional<Stop> reckon(const Case& question, Facts& facts) {
  const bool refused =
      question.outcome.status == Status::local_error && question.outcome.error_number == EPERM;
  if (refused && question.kernel.blind(question.from)) {
    RulePacket packet = packet_of(question, Leg::forward, question.outcome.identity.source, question.to);
    packet.oif = facts.route(question.from, {question.to, {}, {}, 0}).dev;
    return reckoned_stop(facts, question.from, Hook::output, Leg::forward, packet);
  }
  // A packet that came to its target and was given to nobody.
  const Sighting* arrived = question.to_node.empty() ? nullptr : question.journey.arrived(question.to_node);
  std::optional<Dead> dead = died_inside(question);
  if (!dead && arrived != nullptr && arrived->packet.ip && !answer_was_there(question) &&
      question.delivered_to.empty()) {
    dead = Dead{Leg::forward, arrived->node, arrived, arrived->packet.ip->source,
                arrived->packet.ip->destination};
  }
  if (!dead || dead->came == nullptr || !question.kernel.blind(dead->node)) return std::nullopt;
  const network::Node* node = facts.node(dead->node);
  if (node == nullptr) return std::nullopt;
  if (dead->leg == Leg::reply) dead->destination = translated_back(question, *dead);
  RulePacket packet = packet_of(question, dead->leg, dead->source, dead->destination);
  learn_port(question, dead->node, dead->leg, packet);
  const bool half = is_half(question, facts, dead->node, dead->leg);
  if (half) packet.state = state_of_half(packet);
  packet.iif = ip_interface(*node, dead->came->interface);
  const auto reckoned = [&](Hook hook) {
    auto stop = reckoned_stop(facts, dead->node, hook, dead->leg, packet);
    if (stop) stop->half = half;
    return stop;
  };
  if (holds(*node, dead->destination)) return reckoned(Hook::input);
  if (!forwards(facts, dead->node, dead->destination.family(), packet.iif)) return std::nullopt;
  const RouteAnswer way = facts.route(dead->node, {dead->destination, dead->source, packet.iif, 0});
  if (!way.found() || way.dev.empty()) return std::nullopt;
  packet.oif = way.dev;
  return reckoned(Hook::forward);
}

}  // namespace

Stop traced_stop(const Case& question, Facts& facts, const Stopper& found) {
  Stop stop;
  stop.place = place_of(found.passage->node, *found.rule);
  stop.leg = found.passage->leg;
  stop.hook = found.passage->hook;
  stop.packet = packet_of(question, stop.leg, found.passage->source, found.passage->destination);
  learn_port(question, found.passage->node, stop.leg, stop.packet);
  // After an answer: of TCP, what follows the handshake's first
  if (stop.leg == Leg::forward && answer_was_there(question)) stop.packet.state = "established";
  stop.half = is_half(question, facts, stop.place.node, stop.leg);
  if (stop.half) stop.packet.state = state_of_half(stop.packet);
  stop.packet.iif = found.passage->iif;
  stop.packet.oif = found.passage->oif;
  stop.traced = true;
  return stop;
}

std::optional<Stop> stopped(const Case& question, Facts& facts) {
  const bool answered = answer_was_there(question);
  const std::array legs = answered ? std::array{Leg::reply, Leg::forward, Leg::error}
                                   : std::array{Leg::forward, Leg::reply, Leg::error};
  for (const Leg leg : legs) {
    if (const Stopper found = stopper(question.kernel, leg)) return traced_stop(question, facts, found);
  }
  if (auto found = reckon(question, facts)) return found;
  if (auto found = reckon_on_bridge(question, facts)) return found;
  return stopped_discovery(question, facts);
}

std::string RulePlace::chain_text() const {
  return fmt::format("{}'s {} {} {}", node, family, table, chain);
}

std::string RulePlace::to_string() const {
  if (policy) return fmt::format("policy {} of {}", verdict, chain_text());
  const char* what = backend == Backend::nftables ? "handle" : "number";
  return fmt::format("rule of {} ({} {}): {}", chain_text(), what, number, text.empty() ? verdict : text);
}

RulePlace place_of(std::string_view node, const Decision& decision) {
  RulePlace place;
  place.node = node;
  if (decision.chain != nullptr) {
    place.backend = decision.chain->backend;
    place.family = decision.chain->family;
    place.table = decision.chain->table;
    place.chain = decision.chain->name;
  }
  place.policy = decision.rule == nullptr;
  if (decision.rule != nullptr) {
    place.number = decision.rule->number;
    place.text = without_counts(decision.rule->text);
  }
  place.verdict = verdict_text(decision.verdict);
  return place;
}

RulePlace place_of(std::string_view node, const RuleMet& rule) {
  RulePlace place;
  place.node = node;
  place.backend = rule.backend;
  place.family = rule.family;
  place.table = rule.table;
  place.chain = rule.chain;
  place.policy = rule.kind == RuleMet::Kind::policy;
  place.number = rule.number;
  place.text = rule.text;
  place.verdict = rule.verdict;
  return place;
}

std::string_view Stop::what() const {
  switch (leg) {
    case Leg::reply:
      return "the answer";
    case Leg::error:
      return "the ICMP error about it";
    case Leg::neighbour:
      return "neighbour discovery";
    default:
      return "the probe";
  }
}

std::string Stop::addresses() const {
  return fmt::format("{} > {}", packet.source.to_string(), packet.destination.to_string());
}

std::optional<std::uint16_t> protocol_of(const Case& question) {
  if (question.promise == Promise::resolve)
    return static_cast<std::uint16_t>(question.dns_over_tcp ? IPPROTO_TCP : IPPROTO_UDP);
  switch (question.protocol) {
    case traffic::Protocol::tcp:
      return static_cast<std::uint16_t>(IPPROTO_TCP);
    case traffic::Protocol::udp:
      return static_cast<std::uint16_t>(IPPROTO_UDP);
    default:
      return icmp_of(question.family());
  }
}

std::vector<const Chain*> base_chains(Facts& facts, std::string_view node, Hook hook, IpFamily family,
                                      std::string_view type) {
  std::vector<const Chain*> chosen;
  for (const Chain& chain : facts.chains(node)) {
    const std::string_view own = family == IpFamily::v4 ? "ip" : "ip6";
    const bool nat = chain.type == "nat";
    if (chain.hook == hook && (chain.family == own || chain.family == "inet") && nat == (type == "nat"))
      chosen.push_back(&chain);
  }
  std::ranges::stable_sort(chosen, {}, [](const Chain* chain) { return priority_of(*chain); });
  return chosen;
}

}  // namespace plumbline::proof::firewall
