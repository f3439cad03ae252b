#include "harness/proof/diagnosis/firewall.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "harness/kernel/nftables/names.hpp"
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

/// As a number, from nft's words: "filter", "srcnat - 10", "-150".
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

bool answer_was_there(const Case& question) {
  return !question.journey.answers().empty() ||
         std::ranges::any_of(question.kernel.passages, [](const Passage& p) { return p.leg == Leg::reply; });
}

Stop traced_stop(const Case& question, const Stopper& found) {
  Stop stop;
  stop.place = place_of(found.passage->node, *found.rule);
  stop.leg = found.passage->leg;
  stop.hook = found.passage->hook;
  stop.packet = packet_of(question, stop.leg, found.passage->source, found.passage->destination);
  // After an answer: of TCP, what follows the handshake's first
  if (stop.leg == Leg::forward && answer_was_there(question)) stop.packet.state = "established";
  stop.packet.iif = found.passage->iif;
  stop.packet.oif = found.passage->oif;
  stop.traced = true;
  return stop;
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
  packet.iif = ip_interface(*node, dead->came->interface);
  if (holds(*node, dead->destination)) {
    return reckoned_stop(facts, dead->node, Hook::input, dead->leg, packet);
  }
  if (!forwards(facts, dead->node, dead->destination.family(), packet.iif)) return std::nullopt;
  const RouteAnswer way = facts.route(dead->node, {dead->destination, dead->source, packet.iif, 0});
  if (!way.found() || way.dev.empty()) return std::nullopt;
  packet.oif = way.dev;
  return reckoned_stop(facts, dead->node, Hook::forward, dead->leg, packet);
}

std::optional<Stop> stopped(const Case& question, Facts& facts) {
  const bool answered = answer_was_there(question);
  const std::array legs = answered ? std::array{Leg::reply, Leg::forward, Leg::error}
                                   : std::array{Leg::forward, Leg::reply, Leg::error};
  for (const Leg leg : legs) {
    if (const Stopper found = stopper(question.kernel, leg)) return traced_stop(question, found);
  }
  if (auto found = reckon(question, facts)) return found;
  return stopped_discovery(question, facts);
}

/// The bridge whose frames were taken for packets to forward: it was sent straight to its neighbour.
std::string bridged_over(const Stop& stop, const Case& question, Facts& facts) {
  if (stop.hook != Hook::forward || stop.packet.iif.empty() || stop.packet.iif != stop.packet.oif) return {};
  const std::string& node = stop.place.node;
  const std::string key =
      fmt::format("net/bridge/bridge-nf-call-{}", stop.packet.source.is_v4() ? "iptables" : "ip6tables");
  if (facts.sysctl(node, key) != "1") return {};
  const network::Node* here = facts.node(node);
  const network::Interface* bridge = here == nullptr ? nullptr : here->find_interface(stop.packet.iif);
  if (bridge == nullptr || bridge->kind != network::LinkKind::bridge) return {};
  if (holds(*here, question.to)) return {};  // translated, and routed back
  if (stop.leg == Leg::neighbour) return bridge->name;
  const bool forward = stop.leg == Leg::forward;
  if (!forward && stop.leg != Leg::reply) return {};
  const std::string& sender = forward ? question.from : question.to_node;
  const RouteAnswer way = facts.route(sender, {stop.packet.destination, {}, {}, 0});
  return way.found() && !way.via ? bridge->name : std::string();
}

bool is_for_invalid(const RuleWords& words) {
  return words.state && !words.state->inverted && (*words.state)(std::string("invalid")) &&
         !(*words.state)(std::string("new")) && !(*words.state)(std::string("established"));
}

/// A rule of the other back end, at the same hook, that would do that with it: met, or by its words.
std::optional<RulePlace> other_back_end(const Stop& stop, Facts& facts, Verdict wanted) {
  const std::string& node = stop.place.node;
  for (const Chain* chain : base_chains(facts, node, stop.hook, stop.packet.source.family(), "filter")) {
    if (chain->backend == stop.place.backend) continue;
    const Decision decision = decide(facts.chains(node), *chain, stop.packet);
    if (decision.verdict == wanted && decision.rule != nullptr) return place_of(node, decision);
  }
  return std::nullopt;
}
std::optional<RulePlace> other_back_end_accepts(const Stop& stop, Facts& facts) {
  return other_back_end(stop, facts, Verdict::accept);
}
std::optional<RulePlace> other_back_end_rejects(const Stop& stop, Facts& facts) {
  return other_back_end(stop, facts, Verdict::reject);
}

/// The base chain by which a stop's chain was come to: itself, or the one at the hook in its table.
const Chain* base_of(const Stop& stop, Facts& facts) {
  const Chain* own = chain_of(facts, stop.place);
  if (own != nullptr && own->hook) return own;
  for (const Chain* chain :
       base_chains(facts, stop.place.node, stop.hook, stop.packet.source.family(), "filter")) {
    if (chain->backend == stop.place.backend && chain->family == stop.place.family &&
        chain->table == stop.place.table) {
      return chain;
    }
  }
  return nullptr;
}

/// Whether rules anywhere in the table may accept what is established; then the answer was none, to
/// conntrack, or the rule did not hold for it.
bool may_accept_replies(const Stop& stop, Facts& facts) {
  RulePacket packet = stop.packet;
  for (const Chain& chain : facts.chains(stop.place.node)) {
    if (chain.backend != stop.place.backend || chain.family != stop.place.family ||
        chain.table != stop.place.table) {
      continue;
    }
    for (const Chain::Rule& rule : chain.rules) {
      const RuleWords words = read_rule(chain.backend, rule.text);
      if (words.stops() || words.verdict == Verdict::none || words.verdict == Verdict::back) continue;
      const bool about_state = words.state || words.doubt;
      if (about_state && matches(words, packet) != Match::no) return true;
    }
  }
  return false;
}

/// A rule about this kind of traffic in particular, rather than one that ends what no other rule is about. In
/// a chain that lets pass what no rule names, one about some addresses is that too: no answer needs a rule
/// there.
bool is_particular(const Stop& stop, const Chain& base) {
  if (stop.place.policy) return false;
  const RuleWords words = read_rule(stop.place.backend, stop.place.text);
  const bool about_traffic = words.doubt || words.protocol || words.source_port || words.destination_port;
  return about_traffic || (base.policy == "accept" && (words.source || words.destination));
}

/// The answer's or the error's; its own rules know nothing of connections.
bool lacks_accept_for_replies(const Stop& stop, Facts& facts) {
  if (stop.leg == Leg::forward || stop.leg == Leg::neighbour) return false;
  if (stop.hook == Hook::prerouting || stop.hook == Hook::postrouting) return false;
  const Chain* base = base_of(stop, facts);
  return base != nullptr && !is_particular(stop, *base) && !may_accept_replies(stop, facts);
}

Blame by_hook(const Stop& stop, Facts& facts) {
  if (stop.at_bridge()) return Blame::bridge_rule_drop;
  const network::Node* node = facts.node(stop.place.node);
  const bool for_itself = node != nullptr && holds(*node, stop.packet.destination);
  const bool its_own = node != nullptr && holds(*node, stop.packet.source);
  switch (stop.hook) {
    case Hook::input:
      return Blame::input_drop;
    case Hook::output:
      return Blame::output_drop;
    case Hook::prerouting:
      return for_itself ? Blame::input_drop : Blame::forward_rule_drop;
    case Hook::postrouting:
      return its_own ? Blame::output_drop : Blame::forward_rule_drop;
    default:
      break;
  }
  return stop.place.policy ? Blame::forward_policy_drop : Blame::forward_rule_drop;
}

bool saw_error(const Case& question) {
  const bool seen =
      std::ranges::any_of(question.journey.sightings, [](const Sighting& s) { return s.leg == Leg::error; });
  return seen ||
         std::ranges::any_of(question.kernel.passages, [](const Passage& p) { return p.leg == Leg::error; });
}

/// Whether the kernel limits how many "destination unreachable" it sends.
bool limits_errors(Facts& facts, const std::string& node, IpFamily family) {
  if (family == IpFamily::v6) {
    const auto limit = facts.sysctl(node, "net/ipv6/icmp/ratelimit");
    return limit && *limit != "0";
  }
  constexpr unsigned unreachable = 1U << 3;
  const auto mask = facts.sysctl(node, "net/ipv4/icmp_ratemask");
  unsigned bits = 0;
  if (!mask) return false;
  std::from_chars(mask->data(), mask->data() + mask->size(), bits);
  return (bits & unreachable) != 0;
}

/// A reject that was not heard of: the kernel makes no more ICMP errors than its limit allows.
bool is_rate_limited(const Stop& stop, const Case& question, Facts& facts) {
  if (!stop.rejects() || !stop.traced || question.outcome.status != Status::timeout) return false;
  if (stop.place.text.find("reset") != std::string::npos || saw_error(question)) return false;
  return limits_errors(facts, stop.place.node, stop.packet.source.family());
}

Blamed about_denial(const Stop& stop, const Case& question, Facts& facts) {
  Blamed found;
  found.stop = stop;
  found.wrong_way = true;
  if (is_rate_limited(stop, question, facts)) {
    found.blame = Blame::icmp_rate_limited;
  } else if (!stop.rejects() && (found.accepts = other_back_end_rejects(stop, facts))) {
    found.blame = Blame::legacy_and_nft_mixed;
  } else {
    found.blame = by_hook(stop, facts);
  }
  return found;
}

/// Kept, but not in the way that was promised.
bool said_no_wrongly(const Case& question, const Stop& stop) {
  if (question.how == "reject") return question.outcome.status == Status::timeout || !stop.rejects();
  return question.how == "drop" && stop.rejects();
}

Blamed about_stop(const Stop& stop, const Case& question, Facts& facts) {
  Blamed found;
  found.stop = stop;
  const auto late = comes_too_late(stop.place, stop.packet, facts, true);
  if (stop.at_bridge()) {
    found.blame = Blame::bridge_rule_drop;
    if (late) found.accepts = late->place;
    return found;
  }
  found.bridge = bridged_over(stop, question, facts);
  if (!found.bridge.empty()) {
    found.blame = Blame::bridge_netfilter;
  } else if (!stop.place.policy && is_for_invalid(read_rule(stop.place.backend, stop.place.text))) {
    found.blame = Blame::conntrack_invalid_drop;
  } else if ((found.accepts = other_back_end_accepts(stop, facts))) {
    found.blame = Blame::legacy_and_nft_mixed;
  } else if (late && (stop.hook == Hook::forward || stop.hook == Hook::prerouting)) {
    found.blame = Blame::forward_rule_order;
    found.accepts = late->place;
    found.dead = late->dead;
  } else if (lacks_accept_for_replies(stop, facts)) {
    found.blame = Blame::missing_accept_for_replies;
  } else {
    found.blame = by_hook(stop, facts);
    if (late) found.accepts = late->place;
  }
  return found;
}

}  // namespace

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

std::optional<Blamed> blamed(const Case& question, Facts& facts) {
  if (question.promise == Promise::silent) return std::nullopt;
  if (question.outcome.status == Status::replied) return std::nullopt;
  if (question.wanted_through()) {
    const auto stop = stopped(question, facts);
    return stop ? std::optional(about_stop(*stop, question, facts)) : std::nullopt;
  }
  if (leaked(question, facts)) return std::nullopt;
  const auto stop = stopped(question, facts);
  if (!stop) return std::nullopt;
  if (stop->place.node != question.guard || stop->leg == Leg::error || stop->leg == Leg::neighbour)
    return about_stop(*stop, question, facts);
  if (stop->leg != Leg::forward || !said_no_wrongly(question, *stop)) return std::nullopt;
  // The reject spoke, and its word was stopped on its way.
  if (const Stopper error = stopper(question.kernel, Leg::error); error && stop->rejects())
    return about_stop(traced_stop(question, error), question, facts);
  Blamed found = about_denial(*stop, question, facts);
  if (question.how == "reject" && stop->rejects() && found.blame != Blame::icmp_rate_limited)
    return std::nullopt;
  return found;
}

std::optional<Blamed> blamed(const Case& question, Facts& facts, Blame blame) {
  auto found = blamed(question, facts);
  if (found && found->blame != blame) return std::nullopt;
  return found;
}

Finding finding_of(const Case& question, const Blamed& blamed) {
  const Stop& stop = blamed.stop;
  // Without a trace, the kernel may still have said that a rule it was.
  const Drop* drop = dropped(question.kernel, "NETFILTER_DROP", stop.place.node);
  const bool told = drop != nullptr && drop->leg == stop.leg;
  Finding finding;
  finding.certainty = stop.traced || told ? Certainty::proven : Certainty::likely;
  const std::string hook =
      fmt::format("{}{}", stop.at_bridge() ? "bridge " : "", kernel::nft::to_string(stop.hook));
  const Sighting* last = nullptr;
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg == blamed.stop.leg) last = &sighting;
  }
  if (last != nullptr)
    finding.evidence.push_back(fmt::format("{} was last seen at {}", blamed.stop.what(), place(*last)));
  finding.evidence.push_back(
      fmt::format("{} {}", blamed.stop.addresses(),
                  blamed.stop.traced
                      ? fmt::format("was stopped in {} at the hook {}", blamed.stop.place.node, hook)
                      : fmt::format("ends at the hook {} by the rules of {}", hook, blamed.stop.place.node)));
  finding.evidence.push_back(blamed.stop.place.to_string());
  if (told && !stop.traced)
    finding.evidence.push_back(
        fmt::format("the kernel let go of it in {}: {}", drop->function, drop->reason));
  if (blamed.blame == Blame::input_drop || blamed.blame == Blame::output_drop || stop.at_bridge()) {
    if (blamed.accepts) finding.evidence.push_back("comes too late: " + blamed.accepts->to_string());
  }
  return finding;
}

}  // namespace plumbline::proof::firewall
