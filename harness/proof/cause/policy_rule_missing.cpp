#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// A rule into `table` that wants a mark, which this packet has not.
const network::RoutingRule* rule_by_mark(const network::Node& node, IpFamily family, std::uint32_t table) {
  const auto found = std::ranges::find_if(node.rules, [&](const network::RoutingRule& rule) {
    return rule.family == family && rule.table == table && rule.mark != 0;
  });
  return found == node.rules.end() ? nullptr : &*found;
}

std::string selector(const Steered& packet) {
  if (!packet.exit.iif.empty()) return "iif " + packet.exit.iif;
  return "from " + packet.exit.source.to_string();
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto packet = steered(question, facts);
  if (!packet || rule_to_nowhere(*packet, facts)) return std::nullopt;
  // A packet that left by something else than the lookup says was marked, or translated anew.
  if (!packet->exit.oif.empty() && (!packet->answer.found() || packet->answer.dev != packet->exit.oif)) {
    return std::nullopt;
  }
  const auto table = table_not_asked(*packet, facts);
  const network::Node* node = facts.node(packet->node);
  if (!table || node == nullptr) return std::nullopt;
  const IpAddress& to = packet->exit.destination;
  const network::Route* route = best_route(*node, to, *table);
  const network::RoutingRule* marked = rule_by_mark(*node, to.family(), *table);
  Finding finding;
  // Where a way was promised, and a table has just that, the packet went the other way for want of a rule.
  if (!packet->wanted.empty() && !packet->exit.oif.empty()) finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("No rule of {} leads packets from {} to {} into table {}, which has the way{}.",
                  packet->node, packet->exit.source.to_string(), to.to_string(), *table,
                  packet->wanted.empty() ? "" : " by " + packet->wanted);
  if (!packet->exit.oif.empty()) {
    finding.evidence.push_back(fmt::format("it was sent by {}:{}, as the kernel routes it: {}", packet->node,
                                           packet->exit.oif, to_text(packet->answer)));
  } else {
    finding.evidence.push_back(
        fmt::format("the kernel of {} finds no route to {}", packet->node, to.to_string()));
  }
  finding.evidence.push_back(fmt::format("table {} has `{}`", *table, to_text(*route)));
  if (marked != nullptr) {
    finding.evidence.push_back(
        fmt::format("rule `{}` wants a mark, which the packet has not", to_text(*marked)));
  } else {
    finding.evidence.push_back(
        fmt::format("no rule for IPv{} that holds for it leads to table {}", version(to.family()), *table));
  }
  const char* ip = to.is_v4() ? "ip" : "ip -6";
  finding.fix = {
      on(packet->node, question, fmt::format("{} rule add {} lookup {}", ip, selector(*packet), *table))};
  return finding;
}

}  // namespace

CauseKind policy_rule_missing_cause() {
  return {
      "policy-rule-missing",
      "A routing table has the way, but no rule leads the packet into it.",
      "A routing table beside main is looked at only for packets that a rule (`ip rule`) sends there. A "
      "default route `table 88` does nothing by itself. Rules are easily lost: they are not tied to the "
      "interface as routes are, `ip rule flush` takes them, and network managers that believe to own the "
      "rules remove those of others (systemd-networkd does so unless `ManageForeignRoutingPolicyRules=no`). "
      "IPv4 and IPv6 have rules of their own, so that half of them is often forgotten. A rule by mark "
      "(`fwmark`) needs something that marks the packet before it is routed, in prerouting.",
      "The packet left by another way than promised, just as the kernel's own lookup says, or found none; "
      "a table holds a route as wanted, and of the rules that hold for the packet none leads to it.",
      "Look with `ip rule` and `ip -6 rule`.\n"
      "```\nip rule add iif bridge0 lookup 88\nip -6 rule add iif bridge0 lookup 88\n```\n"
      "To keep it: `[RoutingPolicyRule]` of systemd-networkd, `routing-policy` in netplan, `post-up ip rule "
      "add …` in /etc/network/interfaces.",
      recognise,
      CauseKind::Depth::network,
      reasons::links()};
}

}  // namespace plumbline::proof
