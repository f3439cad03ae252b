#include "harness/proof/diagnosis/plugging.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using network::Interface;
using network::LinkKind;

const Interface* built(Facts& facts, const Endpoint& at) {
  const network::Node* node = facts.topology().find(at.node);
  return node == nullptr ? nullptr : node->find_interface(at.interface);
}

bool on(const std::vector<Way>& segment, const Endpoint& at) {
  return std::ranges::any_of(segment, [&](const Way& way) { return way.end() == at; });
}

bool has_network_of(Facts& facts, const Endpoint& bridge, const Endpoint& other, IpFamily family) {
  const Interface* one = interface_at(facts, bridge);
  const Interface* two = interface_at(facts, other);
  if (one == nullptr || two == nullptr) return false;
  for (const InterfaceAddress& held : addresses(*one, family)) {
    for (const InterfaceAddress& each : addresses(*two, family)) {
      if (held.network().contains(each.address)) return true;
    }
  }
  return false;
}

/// A bridge among `ways`, in the node of `port`, with the network of whoever is plugged in there.
std::optional<Endpoint> bridge_for(Facts& facts, const Endpoint& port, const std::vector<Way>& ways,
                                   const Endpoint& plugged, IpFamily family) {
  for (const Way& way : ways) {
    const Interface* interface = built(facts, way.end());
    const bool bridge = interface != nullptr && interface->kind == LinkKind::bridge;
    if (!bridge || way.end().node != port.node) continue;
    const Interface* itself = interface_at(facts, way.end());
    // A bridge without addresses joins what it is given.
    const bool bare = itself != nullptr && addresses(*itself, family).empty();
    if (bare || has_network_of(facts, way.end(), plugged, family)) return way.end();
  }
  return std::nullopt;
}

std::optional<Unplugged> at_cable_of(Facts& facts, const Endpoint& plugged, const std::vector<Way>& own,
                                     const std::vector<Way>& others, IpFamily family) {
  const Interface* interface = built(facts, plugged);
  if (interface == nullptr || !interface->peer) return std::nullopt;
  const Endpoint port = *interface->peer;
  const Interface* at_port = interface_at(facts, port);
  if (at_port == nullptr || !on(own, port) || !addresses(*at_port, family).empty()) return std::nullopt;
  // Where it is plugged in rightly, it is the other end that is not.
  const std::string& master = built(facts, port)->master;
  if (!master.empty() && has_network_of(facts, {port.node, master}, plugged, family)) return std::nullopt;
  const auto bridge = bridge_for(facts, port, others, plugged, family);
  if (!bridge || on(own, *bridge)) return std::nullopt;
  return Unplugged{port, *bridge, master, {}};
}

bool routes(Facts& facts, const Endpoint& at) {
  const network::Node* node = facts.topology().find(at.node);
  const Interface* interface = built(facts, at);
  if (node == nullptr || interface == nullptr) return false;
  return interface->kind == LinkKind::bridge || node->role == network::Role::host;
}

/// The world names a router for the interface, and none of its networks has it.
std::optional<Mismatch> out_of_its_gateways_network(Facts& facts, const Endpoint& at, const Interface& own,
                                                    IpFamily family) {
  const Interface* known = built(facts, at);
  if (known == nullptr) return std::nullopt;
  const auto named = std::ranges::find(known->gateways, family, &IpAddress::family);
  const auto mine = addresses(own, family);
  if (named == known->gateways.end() || mine.empty()) return std::nullopt;
  const auto reaches = [&](const InterfaceAddress& held) { return held.network().contains(*named); };
  if (std::ranges::any_of(mine, reaches)) return std::nullopt;
  for (const Way& way : holders_on(facts, segment(facts, at), *named)) {
    for (const InterfaceAddress& theirs : addresses(*interface_at(facts, way.end()), family)) {
      if (theirs.address == *named) return Mismatch{at, mine.front(), way.end(), theirs};
    }
  }
  return std::nullopt;
}

/// A router asks on `at` in vain for somebody of its own prefix, and everyone else there has one and the same
/// narrower network, in which the router is too, but not the one that it asks for.
std::optional<Mismatch> too_wide(Facts& facts, const Endpoint& at, const IpAddress& asked) {
  const Interface* own = interface_at(facts, at);
  if (own == nullptr || !routes(facts, at)) return std::nullopt;
  std::optional<Mismatch> found;
  for (const InterfaceAddress& mine : addresses(*own, asked.family())) {
    if (!mine.network().contains(asked)) continue;
    for (const Way& way : segment(facts, at)) {
      const Interface* other = interface_at(facts, way.end());
      if (other == nullptr || way.end().node == at.node || !is_end(facts, way.end())) continue;
      for (const InterfaceAddress& theirs : addresses(*other, asked.family())) {
        const Prefix network = theirs.network();
        if (!network.contains(mine.address) || network.contains(asked)) return std::nullopt;
        if (found && found->routers.network() != network) return std::nullopt;
        if (!found) found = Mismatch{at, mine, way.end(), theirs};
      }
    }
  }
  return found;
}

/// Of the two it is the router that is wrong, where another agrees with the one whose network has them both,
/// or where the router's own prefix has nobody but itself.
Mismatch blamed_rightly(Facts& facts, const Mismatch& found) {
  const Prefix network = found.address.network();
  if (!network.contains(found.routers.address) || !routes(facts, found.router)) return found;
  bool agreed = found.routers.prefix_length == found.routers.address.bits() &&
                found.address.prefix_length != found.address.address.bits();
  for (const Way& way : segment(facts, found.at)) {
    const Endpoint& end = way.end();
    const Interface* other = interface_at(facts, end);
    if (other == nullptr || end.node == found.at.node || end.node == found.router.node) continue;
    for (const InterfaceAddress& held : addresses(*other, network.family())) {
      if (held.network() == found.routers.network()) return found;
      if (held.network() == network) agreed = true;
    }
  }
  return agreed ? Mismatch{found.router, found.routers, found.at, found.address} : found;
}

}  // namespace

std::optional<Unplugged> unplugged(Facts& facts, const Hop& hop) {
  if (!hop.route.found() || !hop.holders.empty()) return std::nullopt;
  const IpFamily family = hop.next.family();
  for (const Endpoint& holder : holders(facts, hop.next)) {
    if (holder.node == hop.node) continue;
    const std::vector<Way> there = segment(facts, holder);
    auto found = at_cable_of(facts, hop.out(), hop.segment, there, family);
    if (!found) found = at_cable_of(facts, holder, there, hop.segment, family);
    if (!found) continue;
    found->holder = holder;
    return found;
  }
  return std::nullopt;
}

std::optional<Unplugged> off_its_bridge(Facts& facts, const Endpoint& plugged, IpFamily family) {
  const Interface* interface = built(facts, plugged);
  if (interface == nullptr || !interface->peer) return std::nullopt;
  const network::Node* node = facts.topology().find(interface->peer->node);
  if (node == nullptr) return std::nullopt;
  const std::vector<Way> own = segment(facts, plugged);
  for (const Interface& each : node->interfaces) {
    const Endpoint bridge{node->name, each.name};
    if (each.kind != LinkKind::bridge || !has_network_of(facts, bridge, plugged, family)) continue;
    if (auto found = at_cable_of(facts, plugged, own, segment(facts, bridge), family)) {
      found->holder = bridge;
      return found;
    }
  }
  return std::nullopt;
}

std::optional<Mismatch> mismatch(Facts& facts, const Endpoint& at, IpFamily family) {
  const Interface* own = interface_at(facts, at);
  if (own != nullptr) {
    if (auto found = out_of_its_gateways_network(facts, at, *own, family)) return found;
  }
  if (own == nullptr || routes(facts, at)) return std::nullopt;
  std::optional<Mismatch> found;
  for (const Way& way : segment(facts, at)) {
    const Interface* other = interface_at(facts, way.end());
    if (other == nullptr || way.end().node == at.node || !is_end(facts, way.end())) continue;
    if (!routes(facts, way.end())) continue;
    for (const InterfaceAddress& mine : addresses(*own, family)) {
      for (const InterfaceAddress& theirs : addresses(*other, family)) {
        if (mine.network() == theirs.network()) return std::nullopt;
        if (!found) found = Mismatch{at, mine, way.end(), theirs};
      }
    }
  }
  return found;
}

namespace {

/// `node` sends what is for `to` elsewhere than to its segment, or to a router though it is next door.
std::optional<Mismatch> sent_elsewhere(Facts& facts, const std::string& node, const IpAddress& to) {
  for (const Endpoint& holder : holders(facts, to)) {
    if (node == holder.node) continue;
    RouteQuestion towards;
    towards.to = to;
    const bool next_door = leads_to(facts, node, to, holder);
    // Who is next door, and yet is looked for behind a router, is of another network than his link.
    const bool by_router = next_door && facts.route(node, towards).via.has_value();
    if (next_door && !by_router) continue;
    const auto found = mismatch(facts, holder, to.family());
    if (found && (found->router.node == node || by_router)) return found;
  }
  return std::nullopt;
}

std::optional<Mismatch> out_of_reach(const Case& question, Facts& facts, const std::optional<Hop>& hop,
                                     const IpAddress& to) {
  for (const std::string& node : senders(question, facts, hop)) {
    if (auto found = sent_elsewhere(facts, node, to)) return found;
  }
  return std::nullopt;
}

/// What was not to be seen on an uplink is for somebody on another link of the host's.
std::optional<Mismatch> seen_elsewhere(const Case& question, Facts& facts) {
  for (const Sighting& each : question.journey.sightings) {
    const bool out = each.node == question.host && each.interface == question.via &&
                     each.packet.direction == traffic::Direction::out && each.packet.ip;
    if (!out) continue;
    if (auto found = sent_elsewhere(facts, question.host, each.packet.ip->destination)) return found;
  }
  return std::nullopt;
}

/// Whose network is none of those on the segment where a sender or its target is.
std::optional<Mismatch> disagreement(const Case& question, Facts& facts, const std::optional<Hop>& hop) {
  if (question.promise == Case::Promise::silent) return seen_elsewhere(question, facts);
  const IpFamily family = question.family();
  if (hop && !hop->route.found()) {
    const network::Node* node = facts.node(hop->node);
    if (node == nullptr) return std::nullopt;
    for (const Interface& interface : node->interfaces) {
      if (auto found = mismatch(facts, {hop->node, interface.name}, family)) return found;
    }
  } else if (hop && hop->unanswered() && hop->holders.empty()) {
    if (auto found = mismatch(facts, hop->out(), family)) return found;
    if (auto found = too_wide(facts, hop->out(), hop->next)) return found;
  }
  if (hop && hop->leg != Leg::forward) return out_of_reach(question, facts, hop, hop->destination);
  if (auto found = out_of_reach(question, facts, hop, question.to)) return found;
  // Where no hop can be named, an answer may have left by another way, as one that goes in circles.
  const IpAddress& back = question.outcome.identity.source;
  if (hop || back.is_unspecified() || back.family() != family) return std::nullopt;
  if (question.outcome.status == traffic::ProbeOutcome::Status::replied) return std::nullopt;
  return out_of_reach(question, facts, hop, back);
}

}  // namespace

std::optional<Mismatch> wrong_network(const Case& question, Facts& facts, const std::optional<Hop>& hop) {
  auto found = disagreement(question, facts, hop);
  return found ? std::optional(blamed_rightly(facts, *found)) : std::nullopt;
}

std::optional<MacAddress> mac_of(Facts& facts, const Endpoint& at) {
  const auto link = facts.link(at.node, at.interface);
  return link && !link->loopback ? link->mac : std::nullopt;
}

std::optional<Twins> twins(Facts& facts, const Hop& hop) {
  std::vector<Endpoint> ends{hop.out()};
  if (!hop.holders.empty()) ends.insert(ends.begin(), hop.holders.front().end());
  for (const Endpoint& one : ends) {
    const auto mac = mac_of(facts, one);
    if (!mac) continue;
    for (const Way& way : hop.segment) {
      const Endpoint& other = way.end();
      // A bridge has the address of one of its ports, so one node does not count.
      if (other.node == one.node || !is_end(facts, other) || mac_of(facts, other) != mac) continue;
      return Twins{one, other, *mac};
    }
  }
  return std::nullopt;
}

std::vector<InterfaceAddress> addresses(const Interface& interface, IpFamily family) {
  std::vector<InterfaceAddress> some;
  for (const InterfaceAddress& held : interface.addresses) {
    const bool local = held.address.is_loopback() || (!held.address.is_v4() && held.address.is_link_local());
    if (held.address.family() == family && !local) some.push_back(held);
  }
  return some;
}

std::vector<Endpoint> without_address(Facts& facts, const std::vector<Way>& segment, IpFamily family) {
  std::vector<Endpoint> found;
  for (std::size_t i = 1; i < segment.size(); ++i) {
    const Endpoint& at = segment[i].end();
    const Interface* interface = interface_at(facts, at);
    const Interface* shape = built(facts, at);
    if (interface == nullptr || shape == nullptr || !is_end(facts, at) || !interface->up) continue;
    // A bridge of the world's wiring needs none.
    const network::Node* node = facts.topology().find(at.node);
    const bool wiring =
        shape->kind == LinkKind::bridge && node != nullptr && node->role == network::Role::world;
    if (wiring || !addresses(*interface, family).empty()) continue;
    if (family == IpFamily::v6 && lacks_ipv6(facts, at)) continue;
    found.push_back(at);
  }
  return found;
}

bool lacks_ipv6(Facts& facts, const Endpoint& at) {
  const auto link = facts.link(at.node, at.interface);
  if (!link || link->loopback) return false;
  const bool off = facts.sysctl(at.node, fmt::format("net/ipv6/conf/{}/disable_ipv6", at.interface)) == "1";
  return off || (link->ipv6 && !link->ipv6->enabled) || link->mtu < 1280;
}

bool is_tentative(Facts& facts, const Endpoint& at, const IpAddress& address) {
  const Interface* interface = interface_at(facts, at);
  return interface != nullptr && std::ranges::count(interface->tentative, address) != 0;
}

std::optional<IpAddress> router_near(Facts& facts, const Endpoint& at, IpFamily family) {
  const Interface* own = interface_at(facts, at);
  if (own == nullptr) return std::nullopt;
  const std::string forwarding =
      family == IpFamily::v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
  for (const Way& way : segment(facts, at)) {
    const Interface* other = interface_at(facts, way.end());
    if (other == nullptr || way.end().node == at.node || !is_end(facts, way.end())) continue;
    if (facts.sysctl(way.end().node, forwarding) != "1") continue;
    for (const InterfaceAddress& theirs : addresses(*other, family)) {
      for (const InterfaceAddress& mine : addresses(*own, family)) {
        if (mine.network().contains(theirs.address)) return theirs.address;
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> senders(const Case& question, Facts& facts, const std::optional<Hop>& hop) {
  std::vector<std::string> nodes{question.from};
  const bool by_host = taken_in(question, facts, Leg::forward, question.host) != nullptr;
  if (by_host && question.host != question.from) nodes.push_back(question.host);
  if (hop && std::ranges::count(nodes, hop->node) == 0) nodes.push_back(hop->node);
  return nodes;
}

bool leads_to(Facts& facts, const std::string& node, const IpAddress& to, const Endpoint& there) {
  RouteQuestion towards;
  towards.to = to;
  const RouteAnswer route = facts.route(node, towards);
  return route.found() && on(segment(facts, {node, route.dev}), there);
}

}  // namespace plumbline::proof
