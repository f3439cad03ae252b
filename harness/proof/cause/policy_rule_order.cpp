#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// What `ip rule add` needs to make it, without its priority.
std::string selectors(const network::RoutingRule& rule) {
  std::string text;
  if (rule.from) text += " from " + rule.from->to_string();
  if (rule.to) text += " to " + rule.to->to_string();
  if (!rule.iif.empty()) text += " iif " + rule.iif;
  if (!rule.oif.empty()) text += " oif " + rule.oif;
  return text;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto packet = steered(question, facts);
  if (!packet || rule_to_nowhere(*packet, facts)) return std::nullopt;
  if (!packet->exit.oif.empty() && packet->answer.dev != packet->exit.oif) return std::nullopt;
  const auto rules = overtaken(*packet, facts);
  const network::Node* node = facts.node(packet->node);
  if (!rules || node == nullptr) return std::nullopt;
  const IpAddress& to = packet->exit.destination;
  const network::Route* right = best_route(*node, to, rules->right.table, packet->exit.insisted);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{}'s rule `{}` is asked before `{}`, and its table has a way to {} too: {}.", packet->node,
                  to_text(rules->first), to_text(rules->right), to.to_string(), to_text(packet->answer));
  finding.evidence = {fmt::format("the kernel of {} routes it {}", packet->node, to_text(packet->answer)),
                      fmt::format("table {} has `{}`", rules->right.table, to_text(*right))};
  const char* ip = to.is_v4() ? "ip" : "ip -6";
  const bool kernels = rules->first.priority >= 32766;
  if (kernels) {
    finding.fix = {
        on(packet->node, question,
           fmt::format("{} rule add priority 1000{} lookup {}", ip, selectors(rules->right),
                       rules->right.table)),
        on(packet->node, question, fmt::format("{} rule del priority {}", ip, rules->right.priority))};
  } else {
    finding.fix = {
        on(packet->node, question, fmt::format("{} rule del priority {}", ip, rules->first.priority))};
  }
  return finding;
}

}  // namespace

CauseKind policy_rule_order_cause() {
  return {"policy-rule-order",
          "The right routing rule comes after one whose table has a way too.",
          "Rules (`ip rule`) are asked by their priority, the smallest number first, and the first whose "
          "table has a "
          "route decides. The kernel's own rule for main has 32766, and main nearly always has a default "
          "route: what "
          "comes after it is never asked. `ip rule add` without a priority takes the number before the "
          "smallest that "
          "was set by hand, so that the order depends on who was first; VPN clients, network managers and "
          "Kubernetes' "
          "network plug-ins each have numbers of their own, and some move the rule for main ahead.",
          "The kernel's own lookup takes a route of the first rule's table; a later rule holds for the "
          "packet as well, "
          "and its table has the route that was wanted.",
          "Look with `ip rule` (`ip -6 rule`), and give the rule a smaller number than the one that "
          "overtakes it:\n"
          "```\nip rule add priority 1000 iif bridge0 lookup 88\nip rule del priority 40000\n```\n"
          "A rule for main that was put ahead can be kept for what is more special than a default route: `ip "
          "rule add "
          "priority 500 lookup main suppress_prefixlength 0`.",
          recognise,
          CauseKind::Depth::network,
          reasons::links()};
}

}  // namespace plumbline::proof
