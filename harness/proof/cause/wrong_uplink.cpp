#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

bool is_default(const network::RoutingRule& rule) {
  return !rule.from && !rule.to && rule.iif.empty() && rule.table == network::kMainTable;
}

/// The rule that the kernel followed to `table`; null: none that we can tell.
const network::RoutingRule* followed(const Steered& packet) {
  const auto found = std::ranges::find(packet.rules, packet.answer.table, &network::RoutingRule::table);
  return found == packet.rules.end() ? nullptr : &*found;
}

/// The rule for a mark that leads it out by where it left; null: none that we can tell.
const network::RoutingRule* by_mark(const network::Node& node, const Steered& packet) {
  const IpAddress& to = packet.exit.destination;
  const network::RoutingRule* found = nullptr;
  for (const network::RoutingRule& rule : node.rules) {
    network::RoutingRule unmarked = rule;
    unmarked.mark = 0;
    if (rule.mark == 0 || (found != nullptr && found->priority <= rule.priority)) continue;
    if (!holds_for(unmarked, packet.exit.source, to, packet.exit.iif, packet.exit.insisted)) continue;
    const network::Route* route = best_route(node, to, rule.table, packet.exit.insisted);
    if (route != nullptr && route->type == network::RouteType::unicast && route->dev == packet.exit.oif) {
      found = &rule;
    }
  }
  return found;
}

/// Frames that went from port to port of a bridge were not routed, whatever the rules at IP's hooks saw.
bool bridged(const Case& question, const network::Node& node, const Steered& packet) {
  const Exit& exit = packet.exit;
  if (question.route || exit.left != nullptr || exit.iif.empty() || exit.iif != exit.oif) return false;
  const network::Interface* out = node.find_interface(exit.oif);
  return out != nullptr && out->kind == network::LinkKind::bridge;
}

/// The network of one of the node's own interfaces: taken away, that interface is cut off.
bool is_connected_route(const network::Node& node, const network::Route& route) {
  const network::Interface* out = node.find_interface(route.dev);
  return !route.via && out != nullptr &&
         std::ranges::any_of(out->addresses, [&](const InterfaceAddress& held) {
           return held.network().contains(route.to.address()) && route.to.length() >= held.network().length();
         });
}

/// What was seen of it: where it left, or by which hook's word it was to leave.
std::string seen(const Case& question, const Steered& packet) {
  const std::string to = packet.exit.destination.to_string();
  const std::string& by = packet.exit.oif;
  if (question.route)
    return fmt::format("{} sends what goes to {} by {} instead of {}", packet.node, to, by, packet.wanted);
  const std::string what = fmt::format("{} > {}", packet.exit.source.to_string(), to);
  if (packet.exit.left == nullptr)
    return fmt::format("{} was on its way out of {} by {} instead of {} when it was stopped", what,
                       packet.node, by, packet.wanted);
  return fmt::format("{} was sent by {}:{} instead of {}", what, packet.node, by, packet.wanted);
}

std::vector<std::string> mend(const Case& question, Facts& facts, const Steered& packet,
                              const network::Route& route) {
  const IpAddress& to = packet.exit.destination;
  const char* ip = to.is_v4() ? "ip" : "ip -6";
  const network::RoutingRule* rule = followed(packet);
  const network::Node* node = facts.node(packet.node);
  // Another rule would have led it right, had it been asked first.
  for (const network::RoutingRule& each : packet.rules) {
    const network::Route* other = best_route(*node, to, each.table);
    if (rule == nullptr || each.table == rule->table || other == nullptr || other->dev != packet.wanted)
      continue;
    if (!is_default(*rule)) return {fmt::format("{} rule del priority {}", ip, rule->priority)};
  }
  const auto hop = first_hop(facts, packet.node, question.to_node, to.family(), packet.wanted);
  if (!hop || !hop->via) return {};
  network::Route right = route;
  right.via = hop->via;
  right.dev = hop->dev;
  return {fmt::format("{} route replace {}", ip, to_text(right))};
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::egress && !question.route) return std::nullopt;
  const auto packet = steered(question, facts);
  if (!packet || packet->exit.oif.empty() || rule_to_nowhere(*packet, facts)) return std::nullopt;
  const network::Node* node = facts.node(packet->node);
  const network::Interface* wanted = node == nullptr ? nullptr : node->find_interface(packet->wanted);
  if (wanted == nullptr || !packet->answer.found()) return std::nullopt;
  const IpAddress& to = packet->exit.destination;
  const std::string& by = packet->exit.oif;
  if (by == packet->wanted || bridged(question, *node, *packet)) return std::nullopt;
  // Turned to somebody else, it takes the way to that one.
  if (!question.route && to != question.to) return std::nullopt;
  const std::string left = seen(question, *packet);
  Finding finding;
  if (packet->answer.dev != by) {
    finding.summary = fmt::format(
        "What goes to {} leaves {} by {} instead of {}: something marks it, for by its "
        "addresses alone it would go {}.",
        to.to_string(), packet->node, by, packet->wanted, to_text(packet->answer));
    finding.evidence = {left};
    if (const network::RoutingRule* rule = by_mark(*node, *packet)) {
      // By its addresses it would have gone elsewhere, so it is the mark that led it there.
      finding.certainty = Certainty::proven;
      finding.evidence.push_back("rule " + to_text(*rule));
      finding.evidence.push_back(
          fmt::format("its table has: {}", to_text(*best_route(*node, to, rule->table))));
      finding.fix = {on(packet->node, question,
                        fmt::format("{} rule del priority {}", to.is_v4() ? "ip" : "ip -6", rule->priority))};
    }
    return finding;
  }
  if (table_not_asked(*packet, facts)) return std::nullopt;
  const network::Route* route = best_route(*node, to, packet->answer.table);
  if (route == nullptr || is_connected_route(*node, *route)) return std::nullopt;
  const network::RoutingRule* rule = followed(*packet);
  const bool special = rule != nullptr && !is_default(*rule);
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format(
      "{}'s route `{}`{} leads what goes to {} out by {} instead of {}.", packet->node, to_text(*route),
      special ? fmt::format(", by the rule `{}`,", to_text(*rule)) : "", to.to_string(), by, packet->wanted);
  finding.evidence = {left,
                      fmt::format("the kernel of {} routes it {}", packet->node, to_text(packet->answer))};
  if (special) finding.evidence.push_back("rule " + to_text(*rule));
  finding.fix = mend(question, facts, *packet, *route);
  return finding;
}

}  // namespace

CauseKind wrong_uplink_cause() {
  return {
      "wrong-uplink",
      "The packet left the host by another uplink than was promised.",
      "A host with two uplinks sends by the route that wins: the longest, then the one of the lowest metric, "
      "in the table that the first fitting rule leads to. Two default routes from two DHCP clients, a VPN "
      "that adds 0.0.0.0/1 and 128.0.0.0/1, or a Wi-Fi and a cable with NetworkManager's metrics of 600 and "
      "100 decide by chance who is first up. Containers follow their host, so they leave by the wrong uplink "
      "with it, and with the other uplink's address where that one is masqueraded.",
      "The packet was seen leaving by that interface, or was stopped on its way out by it, and the kernel's "
      "own lookup, with the packet's source "
      "and the interface by which it came, names the same; the report says by which route and rule. (Where a "
      "rule or its table's route is missing, that is the cause instead.)",
      "Look with `ip route get ADDRESS from SOURCE iif bridge0`, `ip rule` and `ip route show table all`.\n"
      "```\nip route replace default via 192.168.17.1 dev ens5\n```\n"
      "where the whole host is meant; for the containers alone give them a table and a rule: `ip route add "
      "default via 192.168.17.1 dev ens5 table 88` and `ip rule add iif bridge0 lookup 88`.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of(
          {reasons::links(), {"policy-rule-missing", "policy-rule-order", "table-route-missing"}})};
}

}  // namespace plumbline::proof
