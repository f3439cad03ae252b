#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// Where the sender's address was taken from the packet.
struct Lost {
  std::string node;
  RulePacket packet;  ///< as it came to the hook where that happened
  std::optional<RulePlace> rule;
  std::string seen;  ///< how it shows
};

bool translates(const RuleMet& rule) {
  return read_rule(rule.backend, rule.text).translates_source();
}

/// The kernel's own word, with the rule.
std::optional<Lost> by_trace(const Case& question, const IpAddress& own) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward || passage.bridge || passage.source != own) continue;
    const auto rule = std::ranges::find_if(passage.rules, translates);
    if (rule == passage.rules.end()) continue;
    Lost lost;
    lost.node = passage.node;
    lost.packet = packet_of(question, Leg::forward, own, passage.destination);
    lost.packet.oif = passage.oif;
    lost.rule = place_of(passage.node, *rule);
    lost.seen = fmt::format("at the hook {} of {} it still came from {}", hook_name(passage.hook),
                            passage.node, own.to_string());
    return lost;
  }
  return std::nullopt;
}

std::optional<RulePlace> rule_for(Facts& facts, const std::string& node, const RulePacket& packet) {
  for (const Chain* chain : base_chains(facts, node, Hook::postrouting, packet.source.family(), "nat")) {
    const Decision decision = decide(facts.chains(node), *chain, packet);
    if (!decision.certain()) return std::nullopt;
    const bool translated =
        decision.verdict == RuleWords::Verdict::masquerade || decision.verdict == RuleWords::Verdict::snat;
    if (translated && decision.rule != nullptr) return place_of(node, decision);
  }
  return std::nullopt;
}

std::optional<Lost> by_conntrack(const Case& question, Facts& facts, const IpAddress& own,
                                 const IpAddress& seen) {
  for (const Translation& known : question.kernel.translations) {
    if (!known.source_translated || known.original.source != own || known.reply.destination != seen) continue;
    Lost lost;
    lost.node = known.node;
    lost.packet = packet_of(question, Leg::forward, own, known.reply.source);
    if (question.port != 0) lost.packet.destination_port = known.reply.source_port;
    lost.packet.oif = facts.route(known.node, {known.reply.source, {}, {}, 0}).dev;
    lost.rule = rule_for(facts, known.node, lost.packet);
    lost.seen =
        fmt::format("conntrack of {} has {} answered to {}", known.node, own.to_string(), seen.to_string());
    return lost;
  }
  return std::nullopt;
}

/// Sender and server are of one network behind the node, and the port was turned to the server: were it not
/// for the translation, its answer would go to the sender straight, which knows nothing of that address.
bool is_needed(const Case& question, Facts& facts, const Lost& lost) {
  const network::Node* node = facts.node(lost.node);
  if (node == nullptr || lost.packet.destination == question.to) return false;
  const network::Interface* of_sender = on_link(*node, lost.packet.source);
  return of_sender != nullptr && of_sender == on_link(*node, lost.packet.destination);
}

/// Only what was asked: neighbours that reach each other by a published port, and whatever else leaves by
/// that interface, may need the translation.
std::vector<std::string> exempt(const Case& question, Facts& facts, const Lost& lost) {
  if (!lost.rule) return typed_on(lost.node, question, {"nft -a list ruleset"});
  Wanted stays = like(lost.packet);
  stays.source = lost.packet.source;
  return typed_on(lost.node, question, {insert_command(facts, *lost.rule, stays)});
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::reach || question.published_at.empty() || !question.as)
    return std::nullopt;
  const IpAddress& own = *question.as;
  const Sighting* arrival = question.journey.arrived(question.published_at);
  // Another promise than its own address is no matter of what took that away.
  const bool kept = own == question.outcome.identity.source;
  if (!kept || arrival == nullptr || !arrival->packet.ip || arrival->packet.ip->source == own)
    return std::nullopt;
  const IpAddress& seen = arrival->packet.ip->source;
  auto lost = by_trace(question, own);
  if (!lost) lost = by_conntrack(question, facts, own, seen);
  if (!lost) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} translates the source of what goes to {}: it sees {} instead of {}.",
                                lost->node, question.published_at, seen.to_string(), own.to_string());
  finding.evidence = {lost->seen, fmt::format("came in at {} from {}", place(*arrival), seen.to_string())};
  if (lost->rule) finding.evidence.push_back(lost->rule->to_string());
  if (is_needed(question, facts, *lost)) {
    finding.evidence.push_back(
        fmt::format("{} has both of one network: without it the answer would go to {} straight, which waits "
                    "for one of {}",
                    lost->node, question.from, question.to.to_string()));
    return finding;
  }
  finding.fix = exempt(question, facts, *lost);
  return finding;
}

}  // namespace

CauseKind source_lost_cause() {
  return {
      "source-lost",
      "Source NAT takes the sender's address from what comes to a server.",
      "`masquerade` is meant for what leaves by an uplink. A rule that names none (`-j MASQUERADE` alone, "
      "`masquerade` in postrouting) also takes what comes in by a published port: all works, but the server "
      "sees its host as the only client, so that access lists, limits by address and logs are worth nothing. "
      "So does a rule for one network of containers (`-s 172.17.0.0/16 ! -o docker0`) to what they ask of "
      "another of the same host's, and a rule that was added for answers that did not come back.\n\n"
      "Between two of one network that reach each other by a published port the translation is needed "
      "(hairpin): the server would answer its neighbour straight, and that waits for an answer of the "
      "host's. "
      "A proxy (`docker-proxy`) connects with an address of its own, and no rule is to blame: that is "
      "missing-destination-nat.",
      "The server was to see the sender's own address and got the packet with another; the kernel's trace "
      "tells the rule of source NAT that the packet met with its own address, or conntrack knows its flow "
      "as translated. To look oneself: `conntrack -L`, `nft -a list ruleset`, `iptables -t nat -S "
      "POSTROUTING`.",
      "Let the rule name its uplink (`oifname ens4`, `-o ens4`), or exempt before it those whose "
      "address "
      "is to be seen; not all that leaves by the bridge, for neighbours that reach each other by a published "
      "port need it:\n"
      "```\nnft insert rule inet nat postrouting handle 5 oifname bridge0 ip saddr 203.0.113.0/24 accept\n"
      "iptables -t nat -I POSTROUTING -s 203.0.113.0/24 -o bridge0 -j ACCEPT\n```\n"
      "Flows that exist keep their translation: `conntrack -D -d ADDRESS`.",
      recognise,
      CauseKind::Depth::network,
      {}};
}

}  // namespace plumbline::proof
