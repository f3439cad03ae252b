#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/way.hpp"

namespace plumbline::proof {
namespace {

/// A node that takes the target for a neighbour by `wrong`, though it is by another of its interfaces.
struct Overlap {
  std::string node;
  std::string wrong;  ///< on whose segment it is asked for in vain
  Prefix network;     ///< of `wrong`, with the target in it
  std::string right;
  std::optional<Prefix> other;   ///< of `right`, with the target in it too; absent: it is behind a router
  std::optional<IpAddress> via;  ///< that router
};

/// The network of the interface that holds `address`, an own address of that very length left out.
std::optional<Prefix> network_with(const network::Interface& interface, const IpAddress& address) {
  for (const InterfaceAddress& held : interface.addresses) {
    const Prefix network = held.network();
    if (network.contains(address) && network.length() < address.bits()) return network;
  }
  return std::nullopt;
}

/// Another interface of the node with the target on its own segment.
std::optional<Overlap> beside(Facts& facts, const network::Node& node, const Overlap& wrong,
                              const IpAddress& target) {
  for (const network::Interface& interface : node.interfaces) {
    if (interface.name == wrong.wrong || !interface.up) continue;
    const auto other = network_with(interface, target);
    if (!other || holders_on(facts, segment(facts, {node.name, interface.name}), target).empty()) continue;
    Overlap found = wrong;
    found.right = interface.name;
    found.other = other;
    return found;
  }
  return std::nullopt;
}

/// Behind a router that another of its interfaces leads to.
std::optional<Overlap> beyond(Facts& facts, const network::Node& node, const Overlap& wrong,
                              const IpAddress& target) {
  const network::Interface* interface = node.find_interface(wrong.wrong);
  if (interface == nullptr || interface->kind != network::LinkKind::bridge) return std::nullopt;
  for (const Endpoint& holder : holders(facts, target)) {
    if (holder.node == node.name) continue;
    const auto way = first_hop(facts, node.name, holder.node, target.family());
    if (!way || !way->via || way->dev == wrong.wrong) continue;
    Overlap found = wrong;
    found.right = way->dev;
    found.via = way->via;
    return found;
  }
  return std::nullopt;
}

/// Those on the segment where it is asked for whose own network the target is in: the asker first.
std::optional<Overlap> overlap_of(Facts& facts, const Hop& hop) {
  for (const Way& way : hop.segment) {
    const Endpoint& at = way.end();
    const network::Node* node = facts.node(at.node);
    const network::Interface* interface = interface_at(facts, at);
    if (node == nullptr || interface == nullptr || !is_end(facts, at)) continue;
    const auto network = network_with(*interface, hop.next);
    if (!network) continue;
    const Overlap wrong{at.node, at.interface, *network, {}, {}, {}};
    if (auto found = beside(facts, *node, wrong, hop.next)) return found;
    if (auto found = beyond(facts, *node, wrong, hop.next)) return found;
  }
  return std::nullopt;
}

/// The one of both that can be renumbered: a bridge of the node's own, not its uplink.
std::string bridge_of(Facts& facts, const Overlap& overlap) {
  const network::Node* node = facts.node(overlap.node);
  const auto is_bridge = [&](const std::string& name) {
    const network::Interface* interface = node == nullptr ? nullptr : node->find_interface(name);
    return interface != nullptr && interface->kind == network::LinkKind::bridge;
  };
  return !is_bridge(overlap.wrong) && is_bridge(overlap.right) ? overlap.right : overlap.wrong;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || !hop->unanswered() || !hop->holders.empty() || hop->route.via || hop->next != hop->destination)
    return std::nullopt;
  if (fault(facts, hop->way()) || unplugged(facts, *hop) || wrong_network(question, facts, hop))
    return std::nullopt;
  const auto overlap = overlap_of(facts, *hop);
  if (!overlap) return std::nullopt;
  const std::string target = hop->next.to_string();
  const std::string renumber = bridge_of(facts, *overlap);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} has {} on {}, and {} of it is by {}{}: the networks overlap.", overlap->node,
                  overlap->network.to_string(), overlap->wrong, target, overlap->right,
                  overlap->via ? " behind the router " + overlap->via->to_string() : std::string());
  finding.evidence = {
      fmt::format("connected to {}: {} dev {}", overlap->node, overlap->network.to_string(), overlap->wrong)};
  if (overlap->other) {
    finding.evidence.push_back(fmt::format("connected to {}: {} dev {}", overlap->node,
                                           overlap->other->to_string(), overlap->right));
  }
  finding.evidence.push_back(fmt::format("ip route get {} on {}: dev {}", target, hop->node, hop->route.dev));
  finding.evidence.push_back(neighbour_text(*hop));
  for (const Endpoint& holder : holders(facts, hop->next))
    finding.evidence.push_back(fmt::format("{} holds {}", place(holder), target));
  if (hop->node == overlap->node) {
    finding.fix.push_back(typed_on(
        hop->node, fmt::format("ip route replace {}{} dev {}", target,
                               overlap->via ? " via " + overlap->via->to_string() : "", overlap->right)));
  }
  finding.fix.push_back(
      fmt::format("ip addr show dev {}  # on {}: give its network another subnet", renumber, overlap->node));
  return finding;
}

}  // namespace

CauseKind overlapping_networks_cause() {
  return {
      "overlapping-networks",
      "Two networks of one node overlap, and it looks for a machine of the one in the other.",
      "A bridge for containers was given a subnet that is in use beyond the host: the LAN's own "
      "(192.168.0.0/16, 10.0.0.0/8 in a company), or one behind a VPN. The kernel takes the longest prefix, "
      "and "
      "of two alike whichever comes first: what is for the LAN is asked for on the bridge, or the containers "
      "are "
      "asked for on the LAN, and nobody answers. It shows late, when somebody first needs a machine of the "
      "part "
      "that is hidden. Docker chooses from 172.17.0.0/16 on and avoids only what it sees in the host's own "
      "routes.",
      "A node asks in vain, as on link, for an address that is held on no interface there; a node of that "
      "segment, itself or its router, has the address in the connected network of that interface, and "
      "reaches "
      "it by another interface: on link there as well, or behind a router. `ip route get ADDRESS` and `ip "
      "route "
      "show scope link` show both.",
      "Give the containers' network another subnet, one that no route of the host or of its LAN covers:\n"
      "```\ndocker network create --subnet 172.29.7.0/24 NAME  # and \"bip\", \"default-address-pools\" of "
      "daemon.json\n"
      "```\nof CNI the `subnet` of its configuration. For single machines a route of their own helps the "
      "host, "
      "but not its containers: `ip route replace 10.1.2.3 via 192.168.16.1 dev ens4`.",
      recognise,
      CauseKind::Depth::link,
      {"interface-missing", "link-down", "no-carrier", "not-on-bridge", "wrong-subnet", "duplicate-address",
       "address-missing", "connected-route-missing"}};
}

}  // namespace plumbline::proof
