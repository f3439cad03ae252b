#include <fmt/format.h>

#include <cerrno>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto packet = stranded(question, facts);
  if (!packet || packet->leg != Leg::reply) return std::nullopt;
  const IpAddress& back = packet->destination;
  const network::Node* node = facts.node(packet->node);
  if (node == nullptr || back.is_link_local() || gone_astray(question, facts)) return std::nullopt;
  if (route_of(facts, *packet).error != ENETUNREACH || covers(*node, back)) return std::nullopt;
  if (!is_connected(*node, back.family()) || left_untranslated(question, facts, back)) return std::nullopt;
  if (sent_away(question, facts, *packet)) return std::nullopt;
  const bool target = packet->came == nullptr;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} has no way back to {}{}.", packet->node, back.to_string(),
                                target ? ", from where the probe came"
                                       : fmt::format(": the answer of {} ended there", question.to_node));
  finding.evidence = {
      target
          ? fmt::format("the probe arrived at {} from {}, and no answer left", packet->node, back.to_string())
          : fmt::format("the answer {} > {} came in by {}, and went no further", packet->source.to_string(),
                        back.to_string(), place(*packet->came)),
      fmt::format("the kernel of {} finds no route to {}, and no table of it has one", packet->node,
                  back.to_string())};
  const auto by = rose(question.kernel, packet->node, target ? "OutNoRoutes" : "InNoRoutes");
  if (by != 0)
    finding.evidence.push_back(fmt::format("a packet without a route was counted at {}", packet->node));
  const network::Node* origin = facts.topology().owner_of(back);
  const auto hop =
      first_hop(facts, packet->node, origin == nullptr ? question.from : origin->name, back.family());
  if (hop) {
    const Prefix all(back.is_v4() ? IpAddress::v4({}) : IpAddress::v6({}), 0);
    const bool container = node->role == network::Role::container;
    const Prefix to = container ? all : network_of(facts, back);
    finding.fix = {on(packet->node, question, add_route(to, *hop))};
  }
  return finding;
}

}  // namespace

CauseKind missing_route_back_cause() {
  return {
      "missing-route-back",
      "The probe arrived, but whoever should answer, or a router on the way, has no route back.",
      "A way there is not yet a way back: each router and the far end need a route to the source address as "
      "they see it. Where containers leave with their own addresses (no masquerade, as with Calico's or "
      "Cilium's native routing, routed IPv6, a `macvlan`, Docker's `gateway_mode` routed), the LAN's router "
      "must know that their network is behind the host. A container that has no default route answers its "
      "own bridge, but nobody beyond it.",
      "The probe was seen at its target and no answer left, or the answer was seen coming to a router and "
      "left it no more; the kernel there finds no route to the source (ENETUNREACH), and none of its tables "
      "holds one. Where a container's private address has left its host untranslated though it should not "
      "have, that is the cause, and not this.",
      "Look on the far end and on each router with `ip route get SOURCE`.\n"
      "```\nip route add 192.168.99.0/24 via 192.168.16.10\n```\n"
      "Put it on the router of the LAN, or let the host announce it (BGP, OSPF). Where the source is an "
      "address that nobody else is to know, translate it on the host instead (`masquerade`).",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(),
                       reasons::frames(),
                       reasons::steering(),
                       reasons::translation(),
                       {"hairpin-off", "martian-source"}})};
}

}  // namespace plumbline::proof
