#include <fmt/format.h>

#include <cerrno>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// What the kernel answers where it meets such a route.
int refusal(network::RouteType type) {
  switch (type) {
    case network::RouteType::blackhole:
      return EINVAL;
    case network::RouteType::prohibit:
      return EACCES;
    case network::RouteType::unreachable:
      return EHOSTUNREACH;
    case network::RouteType::unicast:
    case network::RouteType::local:
      break;
  }
  return 0;
}

/// What it does to a packet there.
std::string_view deed(network::RouteType type) {
  if (type == network::RouteType::blackhole) return "dropped without a word";
  return type == network::RouteType::prohibit ? "refused as prohibited" : "refused as unreachable";
}

const network::Route* refusing_route(const network::Node& node, const IpAddress& to, int error) {
  for (const network::Route& route : node.routes) {
    if (refusal(route.type) == error && best_route(node, to, route.table) == &route) return &route;
  }
  return nullptr;
}

/// What the kernel answers where a rule refuses by itself (`ip rule add … unreachable`), and its word for it.
/// Routes of that name answer otherwise. Empty: no rule does so.
std::string_view refusal_of_rule(int error) {
  if (error == EINVAL) return "blackhole";
  if (error == EACCES) return "prohibit";
  return error == ENETUNREACH ? "unreachable" : "";
}

/// A route that would have led the packet on, in a table that the rules which look one up lead to: that the
/// kernel found no way all the same is the doing of a rule which looks none up. Null: there is none, or there
/// may be another reason for the refusal.
const network::Route* route_not_reached(Facts& facts, const network::Node& node, const Stranded& packet,
                                        int error) {
  if (refusal_of_rule(error).empty()) return nullptr;
  RouteQuestion plain;
  plain.to = packet.destination;
  // A source that is not let in is EINVAL too: without one, only rules and routes are left.
  if (error == EINVAL && facts.route(node.name, plain).error != EINVAL) return nullptr;
  const network::Route* found = nullptr;
  for (const network::RoutingRule& rule : node.rules) {
    if (!holds_for(rule, packet.source, packet.destination, packet.iif, packet.oif)) continue;
    const network::Route* route = best_route(node, packet.destination, rule.table, packet.oif);
    if (route == nullptr) continue;
    const network::Interface* out = node.find_interface(route->dev);
    if (route->type != network::RouteType::unicast || out == nullptr || !out->up) return nullptr;
    if (found == nullptr) found = route;
  }
  return found;
}

/// A routing rule refuses it. Rules with an action are not among the facts, so it shows by the kernel's
/// answer.
std::optional<Finding> refused_by_rule(const Case& question, Facts& facts, const network::Node& node,
                                       const Stranded& packet, int error) {
  const network::Route* route = route_not_reached(facts, node, packet, error);
  if (route == nullptr) return std::nullopt;
  const std::string_view action = refusal_of_rule(error);
  const char* what = packet.leg == Leg::reply ? "the answer to" : "what goes to";
  const std::string to = packet.destination.to_string();
  Finding finding;
  // A rule with suppress_prefixlength passes over a route, which looks the same as `unreachable`.
  finding.certainty = error == ENETUNREACH ? Certainty::likely : Certainty::proven;
  finding.summary = fmt::format(
      "A routing rule of {} ({}) refuses {} {}, before any table is asked for its "
      "route `{}`.",
      packet.node, action, what, to, to_text(*route));
  finding.evidence = {
      fmt::format("the kernel of {} refuses a route to {} as a rule with the action {} does", packet.node, to,
                  action),
      fmt::format("no route of {} refuses it, and there is: {}", packet.node, to_text(*route))};
  const char* ip = packet.destination.is_v4() ? "ip" : "ip -6";
  finding.fix = {on(packet.node, question, fmt::format("{} rule show", ip)),
                 on(packet.node, question, fmt::format("{} rule del priority PRIORITY", ip))};
  finding.opens = {packet.node, false};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto packet = stranded(question, facts);
  const network::Node* node = packet ? facts.node(packet->node) : nullptr;
  if (node == nullptr) return std::nullopt;
  // What got past the guard that was to deny it should not be there at all.
  if (packet->node != question.guard && firewall::leaked(question, facts)) return std::nullopt;
  RouteAnswer answer = route_of(facts, *packet);
  auto looked_up = *packet;
  if (answer.found() && answer.source && packet->came == nullptr && packet->iif.empty()) {
    // What a node sends itself is looked up again with the source that was chosen for it.
    looked_up.source = *answer.source;
    answer = route_of(facts, looked_up);
  }
  if (answer.found()) return std::nullopt;
  const network::Route* route = refusing_route(*node, packet->destination, answer.error);
  if (route == nullptr) return refused_by_rule(question, facts, *node, looked_up, answer.error);
  const char* what = packet->leg == Leg::reply ? "the answer to" : "what goes to";
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("By {}'s route `{}`, {} {} is {}.", packet->node, to_text(*route), what,
                                packet->destination.to_string(), deed(route->type));
  finding.evidence = {
      packet->came != nullptr
          ? fmt::format("{} > {} came in by {}, and nothing left {}", packet->source.to_string(),
                        packet->destination.to_string(), place(*packet->came), packet->node)
          : fmt::format("{} sent nothing to {}", packet->node, packet->destination.to_string()),
      fmt::format("the kernel of {} refuses a route to {}, and its longest one is: {}", packet->node,
                  packet->destination.to_string(), to_text(*route))};
  const char* ip = route->to.family() == IpFamily::v4 ? "ip" : "ip -6";
  finding.fix = {on(packet->node, question, fmt::format("{} route del {}", ip, to_text(*route)))};
  finding.opens = {packet->node, false};
  return finding;
}

}  // namespace

CauseKind blackhole_route_cause() {
  return {
      "blackhole-route",
      "A blackhole, unreachable or prohibit route, or such a rule, swallows the packet.",
      "Such routes lead nowhere on purpose: `blackhole` drops in silence, `unreachable` answers with an "
      "ICMP error, `prohibit` with one that says that it is forbidden. Calico, Cilium and others add a "
      "blackhole for the node's own block of container addresses, so that what is for a container that is "
      "gone does not run in circles; VPN clients and kill switches add them for everything that is not to "
      "leave. One stays behind where the more specific route, which was to win, was lost: with its "
      "interface, or because it stands in another table. A routing rule can do the same by itself (`ip rule "
      "add to ADDRESS "
      "unreachable`), before any table is asked.",
      "The packet ended at a node whose kernel, asked for a route, refuses with the error of that kind of "
      "route (EINVAL, EHOSTUNREACH, EACCES), and the longest route of one of its tables that holds for the "
      "target is of that kind. Of a rule: no route refuses, a table that the rules lead to has a route, and "
      "the kernel refuses all the same (EINVAL, ENETUNREACH, EACCES).",
      "Look with `ip route get ADDRESS` and `ip route show table all type blackhole` (also `unreachable`, "
      "`prohibit`), and for rules at `ip rule`.\n```\nip route del blackhole 203.0.113.0/24\nip rule del "
      "priority PRIORITY\n```\n"
      "Where it is there on purpose, give the network the more specific route that is missing instead.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), reasons::translation()})};
}

}  // namespace plumbline::proof
