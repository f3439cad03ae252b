#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// It sits on the node's own cable: not a route is missing, but the node's network is the wrong one.
bool is_next_door(Facts& facts, const network::Node& node, const IpAddress& to) {
  return std::ranges::any_of(node.interfaces, [&](const network::Interface& interface) {
    return holder_on_link(facts, {node.name, interface.name}, to).has_value();
  });
}

/// It was there before it came here.
bool came_by(const Case& question, const Stranded& packet, const std::string& node) {
  if (packet.came == nullptr) return false;
  return std::ranges::any_of(question.journey.sightings, [&](const Sighting& sighting) {
    return sighting.leg == packet.leg && sighting.node == node && &sighting < packet.came;
  });
}

std::optional<NextRouter> any_way(const Case& question, Facts& facts, const network::Node& node) {
  const IpFamily family = question.family();
  const bool promised = question.promise == Case::Promise::egress && node.name == question.host;
  if (auto hop = first_hop(facts, node.name, question.to_node, family, promised ? question.via : ""))
    return hop;
  for (const network::Interface& interface : node.interfaces) {
    if (const auto named = named_gateway(facts, node.name, interface.name, family))
      return NextRouter{interface.name, named, {}};
  }
  return question.host.empty() ? std::nullopt : first_hop(facts, node.name, question.host, family);
}

/// Towards the target, and never back to where the packet came from: it would only come here again.
std::optional<NextRouter> way(const Case& question, Facts& facts, const network::Node& node,
                              const Stranded& packet) {
  auto hop = any_way(question, facts, node);
  if (!hop) return hop;
  const network::Node* owner = hop->via ? facts.topology().owner_of(*hop->via) : nullptr;
  const std::string next = hop->node.empty() && owner != nullptr ? owner->name : hop->node;
  return came_by(question, packet, next) ? std::nullopt : hop;
}

std::string said(const Case& question, const Stranded& packet) {
  const std::string what = fmt::format("{} > {}", packet.source.to_string(), packet.destination.to_string());
  if (packet.came != nullptr) {
    return fmt::format("{} came in by {}, and nothing left {}", what, place(*packet.came), packet.node);
  }
  return fmt::format("nothing left {}: {}", packet.node, traffic::to_text(question.outcome));
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto packet = stranded(question, facts);
  if (!packet || packet->leg == Leg::reply || gone_astray(question, facts)) return std::nullopt;
  // What got past the guard that was to deny it should not be there at all.
  if (packet->node != question.guard && firewall::leaked(question, facts)) return std::nullopt;
  const network::Node* node = facts.node(packet->node);
  if (node == nullptr || route_of(facts, *packet).error != ENETUNREACH) return std::nullopt;
  const IpAddress& to = packet->destination;
  if (!is_connected(*node, to.family()) || covers(*node, to)) return std::nullopt;
  if (sent_away(question, facts, *packet) || is_next_door(facts, *node, to)) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} has no route to {}: it has no IPv{} default route.", packet->node,
                                to.to_string(), version(to.family()));
  finding.evidence = {said(question, *packet),
                      fmt::format("the kernel of {} finds no route to {}, and no table of it has one",
                                  packet->node, to.to_string())};
  for (const char* counter : {"OutNoRoutes", "InNoRoutes"}) {
    const auto by = rose(question.kernel, packet->node, counter);
    if (by != 0) finding.evidence.push_back(fmt::format("{} of {} rose by {}", counter, packet->node, by));
  }
  if (const auto hop = way(question, facts, *node, *packet)) {
    // A router of the world lacks a network; those at its edge lack everything.
    const bool router = node->role == network::Role::world && packet->came != nullptr;
    const Prefix all(to.is_v4() ? IpAddress::v4({}) : IpAddress::v6({}), 0);
    finding.fix = {on(packet->node, question, add_route(router ? network_of(facts, to) : all, *hop))};
  } else {
    if (question.to_node.empty() && facts.topology().owner_of(to) == nullptr)
      finding.evidence.push_back(fmt::format("nobody in this network is known to hold {}", to.to_string()));
    finding.fix = {on(packet->node, question,
                      fmt::format("{} route get {}", to.is_v4() ? "ip" : "ip -6", to.to_string()))};
  }
  return finding;
}

}  // namespace

CauseKind no_default_route_cause() {
  return {
      "no-default-route",
      "A node has no route to where the packet goes, and no default route.",
      "A node knows the networks of its own interfaces and nothing else, until it is given a route. A "
      "container gets its default route from whoever sets it up: Docker, Podman and the CNI bridge plugin "
      "(`isDefaultGateway`) add it, a script with `ip netns` must do it itself, and a network made with "
      "`--internal` has none on purpose. A host loses it where a DHCP lease ran out, or where an interface "
      "went down and came up again: its routes do not come back by themselves. IPv6 has a default route of "
      "its own, which often comes from router advertisements; these are no longer taken once forwarding is "
      "on, unless `accept_ra` is 2.",
      "The packet ended at a node whose kernel, asked for a route, answers that there is none "
      "(ENETUNREACH), and whose tables hold no route at all that covers the target. The node has an address "
      "of the family on an interface that is up, and the target is not on its own cable.",
      "Look with `ip route get ADDRESS` and `ip route` (`ip -6 route` for IPv6).\n"
      "```\nip route add default via 192.168.99.1 dev eth0\n"
      "ip -6 route add default via fd00:99::1 dev eth0\n```\n"
      "To keep it, put it where the interface is configured: `Gateway=` of systemd-networkd, `gateway` in "
      "/etc/network/interfaces, the runtime's network definition.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering()})};
}

}  // namespace plumbline::proof
