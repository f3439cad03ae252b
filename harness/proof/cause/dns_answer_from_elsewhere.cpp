#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

bool translates(std::string_view text) {
  return std::ranges::any_of(
      std::array<std::string_view, 5>{"dnat", "redirect", "DNAT", "REDIRECT", "tproxy"},
      [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

struct Diversion {
  std::string node;
  IpAddress to;
};

/// The node at which the question was turned to another address.
std::optional<Diversion> diverted(const Case& question) {
  for (const Sighting& each : question.journey.sightings) {
    if (each.leg == Leg::forward && each.packet.ip && each.packet.ip->destination != question.to) {
      return Diversion{each.node, each.packet.ip->destination};
    }
  }
  for (const Translation& known : question.kernel.translations) {
    if (known.destination_translated && known.reply.source != question.to)
      return Diversion{known.node, known.reply.source};
  }
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg == Leg::forward && passage.destination != question.to) {
      return Diversion{passage.node, passage.destination};
    }
  }
  return std::nullopt;
}

struct Rule {
  std::string text;
  std::string remove;
};

/// iptables counts a chain's rules, nft gives them handles.
std::string remove_command(Facts& facts, const std::string& node, const RuleMet& rule) {
  const bool capitals = std::ranges::all_of(rule.chain, [](unsigned char c) { return std::isupper(c) != 0; });
  std::uint64_t number = rule.backend == RuleMet::Backend::iptables_legacy ? rule.number : 0;
  for (const Chain& chain : facts.chains(node)) {
    const bool same = chain.family == rule.family && chain.table == rule.table && chain.name == rule.chain;
    if (!same || rule.backend != RuleMet::Backend::nftables || !capitals) continue;
    for (std::size_t i = 0; i < chain.rules.size(); ++i) {
      if (chain.rules[i].number == rule.number) number = i + 1;
    }
  }
  if (number != 0) {
    return fmt::format("{} -t {} -D {} {}", rule.family == "ip6" ? "ip6tables" : "iptables", rule.table,
                       rule.chain, number);
  }
  return fmt::format("nft delete rule {} {} {} handle {}", rule.family, rule.table, rule.chain, rule.number);
}

std::optional<Rule> rule_of(const Case& question, Facts& facts, const std::string& node) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.node != node || passage.leg != Leg::forward) continue;
    for (const RuleMet& rule : passage.rules) {
      if (!translates(rule.text)) continue;
      return Rule{rule_text(passage, rule), remove_command(facts, node, rule)};
    }
  }
  for (const Chain& chain : facts.chains(node)) {
    for (const Chain::Rule& rule : chain.rules) {
      if (!translates(rule.text) || rule.text.find("53") == std::string::npos) continue;
      RuleMet met;
      met.backend = chain.backend;
      met.family = chain.family;
      met.table = chain.table;
      met.chain = chain.name;
      met.number = rule.number;
      return Rule{fmt::format("{}'s {} {} {}: {}", node, chain.family, chain.table, chain.name, rule.text),
                  remove_command(facts, node, met)};
    }
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::resolve || !question.dns) return std::nullopt;
  if (question.outcome.status != traffic::ProbeOutcome::Status::replied) return std::nullopt;
  const auto by = answerer(question);
  const auto diversion = diverted(question);
  if (!diversion && (!by || *by == question.to_node || by->empty())) return std::nullopt;
  if (diversion && by && !by->empty() && *by == question.to_node) return std::nullopt;
  if (by) {
    // One that holds the server's own address answers for it: that is another cause.
    const network::Node* node = facts.node(*by);
    if (!diversion && node != nullptr && holds(*node, question.to)) return std::nullopt;
  }
  Finding finding;
  finding.certainty = Certainty::proven;
  const std::string who = by && !by->empty() ? *by : diversion ? diversion->to.to_string() : "somebody else";
  finding.summary = fmt::format(
      "The question to {} was answered by {}{}.", server_text(question), who,
      diversion ? fmt::format(", because {} turns it to {}", diversion->node, diversion->to.to_string())
                : std::string());
  const auto answers = question.journey.answers();
  if (!answers.empty()) {
    finding.evidence.push_back(fmt::format("the answer was first seen at {}", place(*answers.front())));
  }
  if (diversion) {
    finding.evidence.push_back(
        fmt::format("at {} its destination is {}", diversion->node, diversion->to.to_string()));
    if (const auto rule = rule_of(question, facts, diversion->node)) {
      finding.evidence.push_back(rule->text);
      finding.fix.push_back(typed_on(diversion->node, rule->remove));
    }
  }
  if (finding.fix.empty()) {
    finding.fix = {fmt::format("dig @{} {}  # on {}", question.to.to_string(), question.name, question.from)};
  }
  return finding;
}

}  // namespace

CauseKind dns_answer_from_elsewhere_cause() {
  return {
      "dns-answer-from-elsewhere",
      "Another than the server that was asked answered.",
      "A rule of destination NAT (`DNAT`, `REDIRECT`, `dnat to`, `redirect`) can send every question to port "
      "53 to a server of its own, whomever it was addressed to; conntrack puts the asked server's address "
      "into the answer again, so that the client cannot tell. Docker does this inside its networks "
      "(127.0.0.11), Kubernetes for its Service addresses, Pi-hole and captive portals, parental filters "
      "and many home routers for all of a network.",
      "A question came back answered, and the taps saw it turned to another address or saw another node send "
      "the answer. The evidence names the rule, where one was met or found.",
      "If it is not meant, delete the rule: `iptables -t nat -L PREROUTING --line-numbers` or `nft -a list "
      "chain ip nat PREROUTING` shows it,\n```\nnft delete rule ip nat PREROUTING handle N\n```\nremoves it. "
      "If it is "
      "meant, name the server that really answers in resolv.conf and in the spec.",
      recognise,
      CauseKind::Depth::network,
      {"duplicate-address"}};
}

}  // namespace plumbline::proof
