#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/publishing.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// Where the probe was turned to another address.
struct Turn {
  std::string node;
  std::optional<IpAddress> to;  ///< absent: an address of the node's own, or not known
  std::optional<RulePlace> rule;
  std::string seen;  ///< how it shows
};

std::optional<Turn> by_conntrack(const Case& question) {
  for (const Translation& known : question.kernel.translations) {
    if (!known.destination_translated || known.original.destination != question.to) continue;
    // Of an ICMP flow it may be the id alone that the answers have otherwise.
    if (known.reply.source == question.to) continue;
    return Turn{known.node, known.reply.source, met_destination_nat(question, known.node),
                fmt::format("conntrack of {} has it go to {}", known.node, known.reply.source.to_string())};
  }
  return std::nullopt;
}

std::optional<Turn> by_its_packets(const Case& question) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward || passage.bridge || passage.destination == question.to) continue;
    return Turn{passage.node, passage.destination, met_destination_nat(question, passage.node),
                fmt::format("at the hook {} of {} it is for {}", hook_name(passage.hook), passage.node,
                            passage.destination.to_string())};
  }
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg != Leg::forward || !sighting.packet.ip) continue;
    const IpAddress& to = sighting.packet.ip->destination;
    if (to == question.to) continue;
    return Turn{sighting.node, to, met_destination_nat(question, sighting.node),
                fmt::format("at {} it is for {}", place(sighting), to.to_string())};
  }
  return std::nullopt;
}

/// A rule's words, where nothing of the packet behind it was seen.
std::optional<Turn> by_rule(const Case& question) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward) continue;
    if (auto rule = met_destination_nat(question, passage.node))
      return Turn{passage.node, std::nullopt, rule, {}};
  }
  return std::nullopt;
}

std::optional<Turn> turned(const Case& question) {
  auto turn = by_conntrack(question);
  if (!turn) turn = by_its_packets(question);
  if (!turn) turn = by_rule(question);
  return turn;
}

/// Whoever holds the address that it was turned to turns it on: the next of several steps.
bool turns_on(const Case& question, const std::string& node, const IpAddress& to) {
  const auto& translations = question.kernel.translations;
  const auto& passages = question.kernel.passages;
  const bool tracked = std::ranges::any_of(translations, [&](const Translation& known) {
    return known.node == node && known.destination_translated && known.original.destination == to;
  });
  return tracked || std::ranges::any_of(passages, [&](const Passage& passage) {
           const bool there = passage.node == node && passage.leg == Leg::forward && !passage.bridge &&
                              passage.destination == to;
           return there && std::ranges::any_of(passage.rules, [](const RuleMet& rule) {
                    return read_rule(rule.backend, rule.text).translates_destination();
                  });
         });
}

/// A published port that leads to another node than it is to: who has that address instead. Empty: it does
/// not.
std::string led_elsewhere(const Case& question, const Turn& turn, Facts& facts) {
  const network::Node* wanted = facts.node(question.published_at);
  if (wanted == nullptr || wanted->name == turn.node || !turn.to || holds(*wanted, *turn.to)) return {};
  const network::Node* holder = facts.topology().owner_of(*turn.to);
  const bool elsewhere = holder != nullptr && holder->name != wanted->name;
  return elsewhere && !turns_on(question, holder->name, *turn.to) ? holder->name : std::string();
}

/// Without the rule the port leads to the node that is meant only where another rule takes it there: else it
/// is somebody else's, and to be looked at.
std::vector<std::string> mend(const Case& question, Facts& facts, const RulePlace& rule,
                              const std::string& instead) {
  const bool others = !instead.empty() && !leads_there(question, facts, rule, question.published_at);
  std::vector<std::string> commands{delete_command(facts, rule)};
  if (others) commands = look_commands(rule, instead);
  return typed_on(rule.node, question, std::move(commands));
}

/// The port led to the node that is meant, and did not only pass it.
bool came_to_server(const Case& question, Facts& facts) {
  const network::Node* server = facts.node(question.published_at);
  const Sighting* arrival = server == nullptr ? nullptr : question.journey.arrived(server->name);
  return arrival != nullptr && arrival->packet.ip && holds(*server, arrival->packet.ip->destination);
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise == Case::Promise::silent) return std::nullopt;
  // In however many steps it was led there: it came to where it was to.
  if (came_to_server(question, facts)) return std::nullopt;
  auto turn = turned(question);
  if (!turn) return std::nullopt;
  const std::string instead = led_elsewhere(question, *turn, facts);
  // Whoever publishes a port of another's on its own address means it.
  if (question.to_node == turn->node && instead.empty()) return std::nullopt;
  // Of an address beyond what is watched the way there is seen, and an answer in its name.
  const bool answered = question.outcome.status == traffic::ProbeOutcome::Status::replied;
  if (question.to_node.empty() && (!answered || !turn->to)) return std::nullopt;
  if (!turn->rule) turn->rule = destination_nat(question, facts, turn->node, turn->to);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = turn->to ? fmt::format("{} turns what is for {} to {}.", turn->node,
                                           question.to.to_string(), turn->to->to_string())
                             : fmt::format("A rule of {} turns what is for {} to another address.",
                                           turn->node, question.to.to_string());
  if (!instead.empty()) {
    finding.summary.pop_back();
    finding.summary += fmt::format(", which is {}, not {}.", instead, question.published_at);
  }
  if (!turn->seen.empty()) finding.evidence.push_back(turn->seen);
  if (turn->rule) {
    finding.evidence.push_back(turn->rule->to_string());
    finding.fix = mend(question, facts, *turn->rule, instead);
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
      "it), or to another node than the one to which the published port is to lead: of two containers that "
      "publish one port, the rule that comes first wins. The rule is named where it was met or is the only "
      "one "
      "that can have done it. To look oneself: `conntrack -L -d ADDRESS`, `nft -a list ruleset`, "
      "`iptables -t nat -S PREROUTING`.",
      "Narrow the rule to the address and the interface that are meant, or delete it; not so a port that "
      "another container publishes and needs, `docker port NAME` tells whose it is:\n"
      "```\nnft -a list chain ip nat prerouting\nnft delete rule ip nat prerouting handle 7\n"
      "iptables -t nat -D PREROUTING 1\n```\nand end what goes by it: `conntrack -D -d ADDRESS`. "
      "If it is meant, promise it as what it is, by the check `published`.",
      recognise,
      CauseKind::Depth::network,
      {"dns-answer-from-elsewhere"}};
}

}  // namespace plumbline::proof
