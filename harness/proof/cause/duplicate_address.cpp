#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::string address_command(Facts& facts, std::string_view what, const Endpoint& at,
                            const IpAddress& address) {
  int length = address.bits();
  if (const network::Interface* interface = interface_at(facts, at)) {
    for (const InterfaceAddress& held : interface->addresses) {
      if (held.address == address) length = held.prefix_length;
    }
  }
  return typed_on(at.node,
                  fmt::format("ip addr {} {}/{} dev {}", what, address.to_string(), length, at.interface));
}

/// Where duplicate address detection refused it.
std::optional<Endpoint> refused_at(Facts& facts, const IpAddress& address) {
  for (const network::Node& each : facts.topology().nodes) {
    const network::Node* node = facts.node(each.name);
    if (node == nullptr) continue;
    for (const network::Interface& interface : node->interfaces) {
      if (std::ranges::count(interface.duplicate, address) != 0) return Endpoint{each.name, interface.name};
    }
  }
  return std::nullopt;
}

std::vector<IpAddress> involved(const Case& question, Facts& facts, const std::optional<Hop>& hop) {
  std::vector<IpAddress> all{question.to};
  if (hop && hop->route.found()) all.push_back(hop->next);
  if (hop) all.push_back(hop->destination);
  if (const network::Node* from = facts.node(question.from)) {
    for (const network::Interface& interface : from->interfaces) {
      for (const InterfaceAddress& held : addresses(interface, question.family())) {
        all.push_back(held.address);
      }
    }
  }
  return all;
}

std::optional<Finding> refused(const Case& question, Facts& facts, const std::optional<Hop>& hop) {
  if (question.family() != IpFamily::v6) return std::nullopt;
  for (const IpAddress& address : involved(question, facts, hop)) {
    const auto at = refused_at(facts, address);
    if (!at) continue;
    const auto owners = holders(facts, address);
    const auto on = segment(facts, *at);
    const auto owner = std::ranges::find_if(owners, [&](const Endpoint& each) {
      return std::ranges::any_of(on, [&](const Way& way) { return way.end() == each; });
    });
    Finding finding;
    finding.certainty = Certainty::proven;
    finding.summary =
        fmt::format("{} does not use its {}: duplicate address detection found another owner{}.", place(*at),
                    address.to_string(), owner == owners.end() ? "" : fmt::format(", {}", place(*owner)));
    finding.evidence = {fmt::format("{} at {} is dadfailed", address.to_string(), place(*at))};
    if (owner != owners.end()) {
      finding.evidence.push_back(fmt::format("{} holds {} too", place(*owner), address.to_string()));
      finding.fix = {address_command(facts, "del", *owner, address)};
    }
    finding.fix.push_back(address_command(facts, "del", *at, address));
    finding.fix.push_back(address_command(facts, "add", *at, address));
    return finding;
  }
  return std::nullopt;
}

/// Of the holders on one segment, who got or answered what was meant for another.
struct Intruder {
  Endpoint meant, got;
  std::string evidence;
};

std::optional<Intruder> intruder(const Case& question, Facts& facts, Leg leg, const IpAddress& address,
                                 const std::string& meant_node) {
  const auto all = holders(facts, address);
  const auto meant = std::ranges::find(all, meant_node, &Endpoint::node);
  if (meant == all.end()) return std::nullopt;
  for (const Way& way : segment(facts, *meant)) {
    const Endpoint& other = way.end();
    if (other.node == meant_node || std::ranges::count(all, other) == 0) continue;
    if (const Sighting* came = taken_in(question, facts, leg, other.node)) {
      return Intruder{*meant, other,
                      fmt::format("{} > {} came in by {}", came->packet.ip->source.to_string(),
                                  came->packet.ip->destination.to_string(), place(*came))};
    }
    for (const std::string& node : {question.from, question.host}) {
      for (const NeighbourFact& known : facts.neighbours(node)) {
        const auto link = facts.link(other.node, other.interface);
        if (known.address == address && known.mac && link && link->mac == known.mac) {
          return Intruder{*meant, other,
                          fmt::format("{} has {} for {}, which is {}'s", node, known.mac->to_string(),
                                      address.to_string(), place(other))};
        }
      }
    }
  }
  return std::nullopt;
}

/// The sender's router, if it is a node of ours.
std::optional<std::pair<IpAddress, std::string>> first_router(const Case& question, Facts& facts) {
  RouteQuestion towards;
  towards.to = question.to;
  const RouteAnswer route = facts.route(question.from, towards);
  if (!route.found() || !route.via) return std::nullopt;
  for (const Endpoint& at : holders(facts, *route.via)) {
    const network::Node* node = facts.topology().find(at.node);
    if (node != nullptr && node->role == network::Role::host) return std::pair(*route.via, at.node);
  }
  return std::nullopt;
}

bool on_one_segment(Facts& facts, const Endpoint& one, const Endpoint& other) {
  return std::ranges::any_of(segment(facts, one), [&](const Way& way) { return way.end() == other; });
}

using Found = std::optional<std::pair<Intruder, IpAddress>>;

/// Two of those who take part hold one address: each takes the other's packets for its own, or for forged.
Found of_both_ends(const Case& question, Facts& facts) {
  std::vector<IpAddress> all{question.to, question.outcome.identity.source};
  if (const auto router = first_router(question, facts)) all.push_back(router->first);
  const auto takes_part = [&](const Endpoint& at) {
    return at.node == question.from || at.node == question.to_node || at.node == question.host;
  };
  for (const IpAddress& address : all) {
    if (address.is_unspecified() || address.family() != question.family()) continue;
    const auto owners = holders(facts, address);
    for (const Endpoint& one : owners) {
      // Who sent from the address, and who is meant by it, is its owner.
      const bool meant = address == question.to                        ? one.node == question.to_node
                         : address == question.outcome.identity.source ? one.node == question.from
                                                                       : one.node == question.host;
      if (!meant) continue;
      for (const Endpoint& other : owners) {
        if (other.node == one.node || !takes_part(other) || !on_one_segment(facts, one, other)) continue;
        return std::pair(
            Intruder{one, other, fmt::format("{} takes {} for its own", other.node, address.to_string())},
            address);
      }
    }
  }
  return std::nullopt;
}

/// It ended at a node that holds the address of the router that the node before had chosen.
Found instead_of_the_router(const Case& question, Facts& facts) {
  const auto dead = died_inside(question);
  if (!dead || dead->came == nullptr) return std::nullopt;
  for (const std::string& name : {question.from, question.host}) {
    RouteQuestion towards;
    towards.to = dead->leg == Leg::forward ? question.to : question.outcome.identity.source;
    const RouteAnswer route = facts.route(name, towards);
    if (name == dead->node || !route.found() || !route.via) continue;
    const auto owners = holders(facts, *route.via);
    const auto got = std::ranges::find(owners, dead->node, &Endpoint::node);
    if (got == owners.end()) continue;
    for (const Endpoint& meant : owners) {
      if (meant.node == dead->node || !on_one_segment(facts, meant, *got)) continue;
      return std::pair(
          Intruder{meant, *got,
                   fmt::format("{} > {} came in by {}, and went no further", dead->source.to_string(),
                               dead->destination.to_string(), place(*dead->came))},
          *route.via);
    }
  }
  return std::nullopt;
}

/// Who is meant by the address that was asked: of two that hold a DNS server's, the one that runs one.
std::string meant_node(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::resolve || question.to_node.empty()) return question.to_node;
  if (serves_dns(facts, question.to_node, question.port)) return question.to_node;
  for (const Endpoint& holder : holders(facts, question.to)) {
    if (serves_dns(facts, holder.node, question.port)) return holder.node;
  }
  return question.to_node;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.was_sent() || question.promise == Case::Promise::silent || question.to.is_loopback()) {
    return std::nullopt;
  }
  if (auto finding = refused(question, facts, broken_hop(question, facts))) return finding;
  std::optional<Intruder> found;
  IpAddress address = question.to;
  if (auto both = of_both_ends(question, facts)) {
    found = both->first;
    address = both->second;
  }
  if (!found) {
    if (auto other = instead_of_the_router(question, facts)) {
      found = other->first;
      address = other->second;
    }
  }
  if (!found && !question.to_node.empty()) {
    found = intruder(question, facts, Leg::forward, address, meant_node(question, facts));
  }
  if (!found) {
    if (const auto router = first_router(question, facts)) {
      address = router->first;
      found = intruder(question, facts, Leg::forward, address, router->second);
    }
  }
  if (!found) {
    address = question.outcome.identity.source;
    found = intruder(question, facts, Leg::reply, address, question.from);
  }
  if (!found) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} and {} are on one segment and both hold {}; it was {} that got the packet.",
                  place(found->meant), place(found->got), address.to_string(), found->got.node);
  finding.evidence = {found->evidence};
  finding.fix = {address_command(facts, "del", found->got, address)};
  // Who asked keeps the wrong hardware address for a while.
  for (const std::string& node : {question.from, question.host}) {
    for (const NeighbourFact& known : facts.neighbours(node)) {
      if (known.address != address || !known.mac) continue;
      finding.fix.push_back(
          typed_on(node, fmt::format("ip neigh del {} dev {}", address.to_string(), known.dev)));
    }
    if (question.from == question.host) break;
  }
  return finding;
}

}  // namespace

CauseKind duplicate_address_cause() {
  return {
      "duplicate-address",
      "Two nodes on one segment hold the same address.",
      "Whoever asks for the address gets two answers, and keeps the first or the last, so that packets go "
      "now to one node and now to the other. Over IPv6 the second one notices when it takes the address "
      "(duplicate address detection) and does not use it; over IPv4 nobody does. Two IPAMs for one network, "
      "a DHCP range over fixed addresses, a container with `--ip` that was started twice, and a bridge "
      "network that overlaps the LAN are how it happens.",
      "Two nodes on one segment hold the address, and the packet came in at the one that was not meant, or "
      "the sender has that one's hardware address; over IPv6 the address is `dadfailed`. `arping -D -I DEV "
      "ADDRESS` finds a second owner, `ip -6 addr show dadfailed` a refused address.",
      "```\nip addr del ADDRESS/LENGTH dev DEV\n```\non the one that must not have it, then `ip neigh flush "
      "dev DEV` on those who ask. An IPv6 address that was refused must be deleted and added again. Give "
      "each network one IPAM, and keep fixed addresses out of its range (`docker network create "
      "--ip-range`).",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
