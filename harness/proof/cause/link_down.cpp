#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

using network::Interface;

Finding found(Certainty certainty, const Endpoint& at, std::string why, std::vector<std::string> evidence) {
  Finding finding;
  finding.certainty = certainty;
  finding.summary = fmt::format("{} is down{}.", place(at), why);
  finding.evidence = std::move(evidence);
  finding.evidence.push_back(fmt::format("{} is not UP", place(at)));
  finding.fix = {typed_on(at.node, fmt::format("ip link set {} up", at.interface))};
  return finding;
}

/// The packet was to go by a way of which a part is down.
std::optional<Finding> on_the_way(Facts& facts, const Hop& hop) {
  const auto way = hop.way();
  const std::string towards = fmt::format(", on the way from {} to {}", hop.node, hop.next.to_string());
  if (const auto broken = fault(facts, way)) {
    if (!broken->down) return std::nullopt;
    return found(Certainty::proven, broken->at, towards,
                 {fmt::format("the way of {} > {} is {}", hop.source.to_string(), hop.destination.to_string(),
                              way_text(way))});
  }
  if (!hop.holders.empty() || !hop.unanswered()) return std::nullopt;
  // Nobody holds the address; over IPv6 an interface that is down has none.
  for (const Way& each : hop.segment) {
    const auto broken = fault(facts, each.over);
    if (broken && broken->down && broken->at == each.end()) {
      return found(Certainty::likely, broken->at, towards,
                   {neighbour_text(hop), fmt::format("nobody holds {}", hop.next.to_string())});
    }
  }
  return std::nullopt;
}

bool may_send(Facts& facts, const Endpoint& at) {
  const auto link = facts.link(at.node, at.interface);
  return link && !link->loopback && is_end(facts, at);
}

/// There is no route, and an interface is down that routes go with.
std::optional<Finding> without_route(const Case& question, Facts& facts, const Hop& hop) {
  const network::Node* node = facts.node(hop.node);
  if (node == nullptr) return std::nullopt;
  std::vector<Endpoint> down;
  bool any_up = false;
  for (const Interface& interface : node->interfaces) {
    const Endpoint at{hop.node, interface.name};
    if (!may_send(facts, at)) continue;
    if (interface.up) {
      any_up = true;
    } else {
      down.push_back(at);
    }
  }
  for (const Endpoint& at : down) {
    const Interface* interface = node->find_interface(at.interface);
    const bool meant = hop.node == question.host && at.interface == question.via;
    const bool near = std::ranges::any_of(interface->addresses, [&](const InterfaceAddress& held) {
      return held.network().contains(hop.destination);
    });
    if (any_up && !meant && !near && !interface->peer && interface->addresses.empty()) continue;
    const auto named = named_gateway(facts, at.node, at.interface, hop.destination.family());
    const Certainty certainty = !any_up || meant || near || named ? Certainty::proven : Certainty::likely;
    Finding finding =
        found(certainty, at, fmt::format(", and with it {} has lost its routes by it", hop.node),
              {fmt::format("{} has no route to {}", hop.node, hop.destination.to_string())});
    const auto router = router_near(facts, at, hop.destination.family());
    if (router && !near) {
      finding.fix.push_back(typed_on(hop.node, fmt::format("ip route replace default via {} dev {}",
                                                           router->to_string(), at.interface)));
    }
    return finding;
  }
  return std::nullopt;
}

/// The node goes another way because its own interface on the target's segment is down.
std::optional<Finding> led_astray(const Case& question, Facts& facts, const std::string& node,
                                  const IpAddress& to) {
  for (const Endpoint& holder : holders(facts, to)) {
    if (holder.node == node) return std::nullopt;
    for (const Way& way : segment(facts, holder)) {
      const Interface* interface = interface_at(facts, way.end());
      if (way.end().node != node || interface == nullptr || interface->up) continue;
      if (!may_send(facts, way.end())) continue;
      RouteQuestion towards;
      towards.to = to;
      const RouteAnswer route = facts.route(node, towards);
      const auto there = segment(facts, {node, route.dev});
      const bool same = std::ranges::any_of(there, [&](const Way& w) { return w.end() == holder; });
      if (route.found() && same) continue;
      return found(Certainty::proven, way.end(), fmt::format(", {}'s interface to {}", node, place(holder)),
                   {route.found() ? fmt::format("{} sends what is for {} by {} instead", node, to.to_string(),
                                                route.dev)
                                  : fmt::format("{} has no route to {}", node, to.to_string())});
    }
  }
  (void)question;
  return std::nullopt;
}

/// It was promised to be up.
std::optional<Finding> as_promised(const Case::Link& promised, Facts& facts) {
  const auto link = facts.link(promised.node, promised.interface);
  if (!link || link->up || promised.state.empty() || promised.state == "down") return std::nullopt;
  return found(Certainty::proven, {promised.node, promised.interface}, "", {});
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link) return as_promised(*question.link, facts);
  if (stopper(question.kernel)) return std::nullopt;
  const auto hop = broken_hop(question, facts);
  if (hop && hop->route.found() && !hop->route.dev.empty()) {
    if (auto finding = on_the_way(facts, *hop)) return finding;
  }
  std::set<std::string> nodes{question.from};
  if (hop) nodes.insert(hop->node);
  if (taken_in(question, facts, Leg::forward, question.host) != nullptr) nodes.insert(question.host);
  for (const std::string& node : nodes) {
    const bool back = hop && hop->leg == Leg::reply;
    if (auto finding = led_astray(question, facts, node, back ? hop->destination : question.to)) {
      return finding;
    }
  }
  if (hop && !hop->route.found()) return without_route(question, facts, *hop);
  return std::nullopt;
}

}  // namespace

CauseKind link_down_cause() {
  return {
      "link-down",
      "An interface that the packet needs is down.",
      "An interface carries frames only while it is administratively up (`UP` among its flags). A new veth, "
      "bridge or container interface is down until somebody sets it up; `ip link set DEV down`, an `ifdown`, "
      "or a network manager that does not know the interface takes it down again. With it go the routes by "
      "it, and over IPv6 its addresses too, which do not come back by themselves.",
      "The packet was to go by this interface, or the node had its route by it, and the kernel says that "
      "it is not `UP`. Look with `ip -br link`: the state is DOWN and `UP` is not among the flags in angle "
      "brackets.",
      "```\nip link set DEV up\n```\nRoutes and IPv6 addresses that were lost must be set again. To make it "
      "last, have whoever made the interface set it up: the runtime, a .network file of systemd-networkd, "
      "`auto` in /etc/network/interfaces.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
