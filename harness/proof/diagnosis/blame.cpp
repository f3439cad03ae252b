#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/kernel/nftables/names.hpp"
#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof::firewall {
namespace {

using Status = traffic::ProbeOutcome::Status;
using Verdict = RuleWords::Verdict;
using Promise = Case::Promise;

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
  if (stop.leg == Leg::forward || stop.leg == Leg::neighbour || stop.half) return false;
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
    return about_stop(traced_stop(question, facts, error), question, facts);
  Blamed found = about_denial(*stop, question, facts);
  if (question.how == "reject" && stop->rejects() && found.blame != Blame::icmp_rate_limited)
    return std::nullopt;
  return found;
}

std::optional<Blamed> blamed(const Case& question, Facts& facts, Blame blame) {
  auto found = blamed(question, facts);
  if (!found || found->blame != blame) return std::nullopt;
  if (question.wanted_through() && found->stop.place.node == question.guard) return std::nullopt;
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
  if (stop.half)
    finding.evidence.push_back(
        fmt::format("the probe itself did not pass {}: to conntrack there {} belongs to no connection",
                    stop.place.node, stop.what()));
  if (told && !stop.traced)
    finding.evidence.push_back(
        fmt::format("the kernel let go of it in {}: {}", drop->function, drop->reason));
  const bool of_the_probe = stop.leg == Leg::forward || stop.leg == Leg::reply;
  if (of_the_probe && !blamed.wrong_way) finding.opens = {stop.place.node, true};
  if (blamed.blame == Blame::input_drop || blamed.blame == Blame::output_drop || stop.at_bridge()) {
    if (blamed.accepts) finding.evidence.push_back("comes too late: " + blamed.accepts->to_string());
  }
  return finding;
}

}  // namespace plumbline::proof::firewall
