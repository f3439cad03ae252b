#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

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

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::resolve || !question.dns) return std::nullopt;
  if (question.outcome.status != traffic::ProbeOutcome::Status::replied) return std::nullopt;
  if (answered_on_loopback(question.journey, question.from, question.to)) return std::nullopt;
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
    if (const auto rule = firewall::destination_nat(question, facts, diversion->node, diversion->to)) {
      finding.evidence.push_back(rule->to_string());
      finding.fix.push_back(typed_on(diversion->node, firewall::delete_command(facts, *rule)));
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
