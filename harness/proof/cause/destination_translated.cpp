#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

bool translates(std::string_view text) {
  constexpr std::array<std::string_view, 6> words{"dnat", "redirect", "DNAT", "REDIRECT", "tproxy", "TPROXY"};
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// Where the probe was turned to another address.
struct Turn {
  std::string node;
  std::optional<IpAddress> to;  ///< absent: an address of the node's own, or not known
  std::optional<RulePlace> rule;
  std::string seen;  ///< how it shows
};

std::optional<RulePlace> met(const Case& question, const std::string& node) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward || passage.node != node || passage.bridge) continue;
    for (const RuleMet& rule : passage.rules) {
      if (translates(rule.text)) return place_of(node, rule);
    }
  }
  return std::nullopt;
}

std::optional<Turn> by_conntrack(const Case& question) {
  for (const Translation& known : question.kernel.translations) {
    if (!known.destination_translated || known.original.destination != question.to) continue;
    // Of an ICMP flow it may be the id alone that the answers have otherwise.
    if (known.reply.source == question.to) continue;
    return Turn{known.node, known.reply.source, met(question, known.node),
                fmt::format("conntrack of {} has it go to {}", known.node, known.reply.source.to_string())};
  }
  return std::nullopt;
}

std::optional<Turn> by_its_packets(const Case& question) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward || passage.bridge || passage.destination == question.to) continue;
    return Turn{passage.node, passage.destination, met(question, passage.node),
                fmt::format("at the hook {} of {} it is for {}", hook_name(passage.hook), passage.node,
                            passage.destination.to_string())};
  }
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg != Leg::forward || !sighting.packet.ip) continue;
    const IpAddress& to = sighting.packet.ip->destination;
    if (to == question.to) continue;
    return Turn{sighting.node, to, met(question, sighting.node),
                fmt::format("at {} it is for {}", place(sighting), to.to_string())};
  }
  return std::nullopt;
}

/// A rule's words, where nothing of the packet behind it was seen.
std::optional<Turn> by_rule(const Case& question) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward) continue;
    if (auto rule = met(question, passage.node)) return Turn{passage.node, std::nullopt, rule, {}};
  }
  return std::nullopt;
}

std::optional<Turn> turned(const Case& question) {
  auto turn = by_conntrack(question);
  if (!turn) turn = by_its_packets(question);
  if (!turn) turn = by_rule(question);
  return turn;
}

/// Without a trace: the rule of the node's nat chains that must have done it.
std::optional<RulePlace> matching(const Turn& turn, const Case& question, Facts& facts) {
  for (const Hook hook : {Hook::prerouting, Hook::output}) {
    for (const Chain* chain : base_chains(facts, turn.node, hook, question.family(), "nat")) {
      for (const Chain::Rule& rule : chain->rules) {
        if (!translates(rule.text)) continue;
        const RulePacket packet =
            packet_of(question, Leg::forward, question.outcome.identity.source, question.to);
        const RuleWords words = read_rule(chain->backend, rule.text);
        if (matches_but_for_interfaces(words, packet) == Match::no) continue;
        return place_of(turn.node, Decision{chain, &rule, words.verdict, {}, {}});
      }
    }
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise == Case::Promise::silent) return std::nullopt;
  auto turn = turned(question);
  // Whoever publishes a port of another's on its own address means it.
  if (!turn || question.to_node.empty() || question.to_node == turn->node) return std::nullopt;
  if (!turn->rule) turn->rule = matching(*turn, question, facts);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = turn->to ? fmt::format("{} turns what is for {} to {}.", turn->node,
                                           question.to.to_string(), turn->to->to_string())
                             : fmt::format("A rule of {} turns what is for {} to another address.",
                                           turn->node, question.to.to_string());
  if (!turn->seen.empty()) finding.evidence.push_back(turn->seen);
  if (turn->rule) {
    finding.evidence.push_back(turn->rule->to_string());
    finding.fix =
        typed_on(turn->node, question, std::vector<std::string>{delete_command(facts, *turn->rule)});
  } else {
    finding.fix = typed_on(turn->node, question, std::vector<std::string>{"nft -a list ruleset"});
  }
  return finding;
}

}  // namespace

CauseKind destination_translated_cause() {
  return {
      "destination-translated",
      "A rule of destination NAT turns the packet to another address than the one that was asked for.",
      "`DNAT`, `REDIRECT`, `dnat to` and `redirect` change where a packet goes before it is routed, and "
      "conntrack hides that from the sender. Published ports, transparent proxies, service meshes, captive "
      "portals and Kubernetes' Services live by it. A rule that is too wide (no address, no interface: just "
      "`tcp dport 80`) takes along what it was never meant for: a container that asks a server on the "
      "internet "
      "gets its host's own web server, or a closed port; and what a firewall is to deny by its address has "
      "another one when the firewall sees it.",
      "The packet was seen with another destination than its sender gave it, or conntrack or the kernel's "
      "trace "
      "says so, at another node than the one that was asked (whoever publishes a port on its own address "
      "means "
      "it). The rule is named where it was met or is the only one "
      "that can have done it. To look oneself: `conntrack -L -d ADDRESS`, `nft -a list ruleset`, "
      "`iptables -t nat -S PREROUTING`.",
      "Narrow the rule to the address and the interface that are meant, or delete it:\n"
      "```\nnft -a list chain ip nat prerouting\nnft delete rule ip nat prerouting handle 7\n"
      "iptables -t nat -D PREROUTING 1\n```\nand end what goes by it: `conntrack -D -d ADDRESS`.",
      recognise,
      CauseKind::Depth::network,
      {"dns-answer-from-elsewhere"}};
}

}  // namespace plumbline::proof
