#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// The table that a rule leads to has no route, so the next rule decided, or none.
std::optional<Finding> fell_through(const Case& question, Facts& facts) {
  const auto packet = steered(question, facts);
  const auto rule = packet ? rule_to_nowhere(*packet, facts) : std::nullopt;
  if (!rule) return std::nullopt;
  const IpAddress& to = packet->exit.destination;
  Finding finding;
  // A rule that leads nowhere is what came between it and the promised way.
  if (!packet->wanted.empty() && !packet->exit.oif.empty()) finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("Table {} of {}, which the rule `{}` leads to, has no route to {}{}.", rule->table,
                  packet->node, to_text(*rule), to.to_string(),
                  packet->answer.found() ? fmt::format(", so the packet took {}", to_text(packet->answer))
                                         : std::string());
  finding.evidence = {
      !packet->exit.oif.empty()
          ? fmt::format(
                "the kernel sent it by {}:{}{}", packet->node, packet->exit.oif,
                packet->wanted.empty() ? std::string() : fmt::format(" instead of {}", packet->wanted))
          : fmt::format("nothing left {} for {}", packet->node, to.to_string()),
      fmt::format("rule {}; table {} holds no route that covers {}", to_text(*rule), rule->table,
                  to.to_string())};
  const auto hop = first_hop(facts, packet->node, question.to_node, to.family(), packet->wanted);
  if (hop) {
    const Prefix all(to.is_v4() ? IpAddress::v4({}) : IpAddress::v6({}), 0);
    finding.fix = {on(packet->node, question, add_route(all, *hop, rule->table))};
  }
  return finding;
}

/// The table lacks what main has for a network of the node's own, so its default route took the packet away.
std::optional<Finding> lacks_a_network(const Case& question, Facts& facts, Leg leg) {
  const std::string& asked = question.route ? question.from : question.host;
  const auto exit = exit_of(question, facts, asked, leg);
  const network::Node* host = facts.node(asked);
  if (!exit || host == nullptr) return std::nullopt;
  const RouteAnswer answer = route_of(facts, asked, *exit);
  if (!answer.found() || answer.table == network::kMainTable || answer.table == network::kLocalTable) {
    return std::nullopt;
  }
  if (answer.dev != exit->oif) return std::nullopt;
  const network::Route* taken = best_route(*host, exit->destination, answer.table);
  const network::Route* own = best_route(*host, exit->destination, network::kMainTable);
  const bool shadowed = taken != nullptr && own != nullptr && !own->via && !own->dev.empty() &&
                        own->type == network::RouteType::unicast && own->to.length() > taken->to.length() &&
                        own->dev != answer.dev;
  if (!shadowed) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("Table {} of {} lacks {}'s network {}, so {} for {} {} by {}.", answer.table, asked,
                  own->dev, own->to.to_string(), leg == Leg::reply ? "the answer" : "the packet",
                  exit->destination.to_string(), question.route ? "leaves" : "left", answer.dev);
  if (!question.route) {
    finding.evidence = {fmt::format("{} > {} was sent by {}:{}", exit->source.to_string(),
                                    exit->destination.to_string(), asked, exit->oif)};
  }
  finding.evidence.push_back(
      fmt::format("the kernel routes it by `{}`; main has `{}`", to_text(*taken), to_text(*own)));
  const char* ip = exit->destination.is_v4() ? "ip" : "ip -6";
  finding.fix = {
      fmt::format("{} route add {} dev {} table {}", ip, own->to.to_string(), own->dev, answer.table)};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.outcome.status == traffic::ProbeOutcome::Status::replied &&
      question.promise != Case::Promise::egress && !question.route) {
    return std::nullopt;
  }
  for (const Leg leg : {Leg::forward, Leg::reply}) {
    if (auto finding = lacks_a_network(question, facts, leg)) return finding;
  }
  return fell_through(question, facts);
}

}  // namespace

CauseKind table_route_missing_cause() {
  return {
      "table-route-missing",
      "A routing rule leads to a table that lacks the route.",
      "A rule (`ip rule`) sends a packet to a table; where that table has no route for it, the next rule is "
      "asked, and in the end the table main, without any word. So an empty table, or one whose route went "
      "away when its interface went down, silently leads everything out by the host's ordinary uplink. The "
      "other way round, a table that holds nothing but a default route sends answers to the host's own "
      "containers out by the uplink too: unlike main, it knows no connected network unless it is told.",
      "The kernel's own lookup, against the rules and tables of the node: the first rule that holds for the "
      "packet leads to a table without a route that covers the target; or the packet was seen leaving by the "
      "table's default route though main holds a longer, connected one.",
      "Look with `ip rule`, `ip route show table 88` and `ip route get ADDRESS from SOURCE iif bridge0`.\n"
      "```\nip route add default via 192.168.17.1 dev ens5 table 88\n"
      "ip route add 192.168.99.0/24 dev bridge0 table 88\n```\n"
      "Routes of a table vanish with their interface: let the network manager own them (`Table=` in a "
      "`[Route]` of systemd-networkd, `routing-policy` and `table:` in netplan). An `unreachable default "
      "metric 4278198272` at the table's end turns a silent fall-through into an error.",
      recognise,
      CauseKind::Depth::network,
      reasons::links()};
}

}  // namespace plumbline::proof
