#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

/// The interface of `node` that has the network of `to`, and no route by it.
struct Routeless {
  const network::Interface* interface = nullptr;
  Prefix network;
};

std::optional<Routeless> routeless(const network::Node& node, const IpAddress& to) {
  for (const network::Interface& interface : node.interfaces) {
    if (!interface.up || !interface.master.empty()) continue;
    for (const InterfaceAddress& held : addresses(interface, to.family())) {
      const Prefix network = held.network();
      if (!network.contains(to) || network.length() == to.bits() || held.address == to) continue;
      const bool led = std::ranges::any_of(node.routes, [&](const network::Route& route) {
        return route.dev == interface.name && route.to.family() == to.family() && route.to.length() > 0 &&
               route.to.contains(to);
      });
      if (led) return std::nullopt;
      return Routeless{&interface, network};
    }
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link || question.to.is_loopback()) return std::nullopt;
  std::set<std::string> nodes{question.from, question.to_node};
  if (taken_in(question, facts, Leg::forward, question.host) != nullptr) nodes.insert(question.host);
  for (const std::string& name : nodes) {
    const network::Node* node = facts.node(name);
    if (node == nullptr) continue;
    for (const IpAddress& to : {question.to, question.outcome.identity.source}) {
      if (to.family() != question.family() || to.is_unspecified() || holds(*node, to)) continue;
      const auto missing = routeless(*node, to);
      if (!missing) continue;
      RouteQuestion asked;
      asked.to = to;
      const RouteAnswer instead = facts.route(name, asked);
      if (instead.found() && instead.dev == missing->interface->name) continue;
      Finding finding;
      finding.certainty = Certainty::proven;
      finding.summary = fmt::format(
          "{} holds an address of {} on {}, but has no route to that network{}.", name,
          missing->network.to_string(), missing->interface->name,
          instead.found() ? fmt::format(": what is for {} goes by {}", to.to_string(), instead.dev)
                          : std::string());
      finding.evidence = {
          fmt::format("no route of {} leads {} by {}", name, to.to_string(), missing->interface->name)};
      finding.fix = {typed_on(name, fmt::format("ip route add {} dev {}", missing->network.to_string(),
                                                missing->interface->name))};
      return finding;
    }
  }
  return std::nullopt;
}

}  // namespace

CauseKind connected_route_missing_cause() {
  return {
      "connected-route-missing",
      "A node holds an address of a network, but has no route to that network.",
      "With an address comes a route to its network, which the kernel makes by itself. It is missing where "
      "the "
      "address was added with `noprefixroute` (NetworkManager and systemd-networkd do that and add a route "
      "of "
      "their own), where somebody deleted it, or where `ip route flush` took it along. The interface looks "
      "right "
      "and answers ARP, but whatever the node itself sends to its neighbours, answers and ICMP errors among "
      "it, "
      "goes out by the default route, or nowhere.",
      "An interface that is up holds an address whose network holds the packet's target, or whom the answer "
      "is "
      "for, and no route of the node leads there by it; the kernel's own lookup takes another interface, or "
      "finds "
      "none.",
      "Compare `ip addr show dev DEV` with `ip route show dev DEV`.\n```\nip route add 192.168.99.0/24 dev "
      "bridge0\n```\nor delete the address and add it again, without `noprefixroute`.",
      recognise,
      CauseKind::Depth::link,
      {"link-down", "no-carrier", "interface-missing"}};
}

}  // namespace plumbline::proof
