#include "harness/proof/diagnosis/hop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <set>
#include <utility>

#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using kernel::netlink::LookupType;
using kernel::netlink::NeighbourState;
using network::Interface;
using network::LinkKind;
using network::Node;

/// A probe's way has fewer routers than this, or goes in circles.
constexpr std::size_t kMostHops = 32;

const Interface* built(Facts& facts, const Endpoint& at) {
  const Node* node = facts.topology().find(at.node);
  return node == nullptr ? nullptr : node->find_interface(at.interface);
}

std::vector<Endpoint> next_to(Facts& facts, const Endpoint& at) {
  std::vector<Endpoint> next;
  const Node* node = facts.topology().find(at.node);
  const Interface* interface = built(facts, at);
  if (interface == nullptr) return next;
  if (interface->peer) next.push_back(*interface->peer);
  if (!interface->master.empty()) next.push_back({at.node, interface->master});
  if (interface->kind != LinkKind::bridge) return next;
  for (const Interface& port : node->interfaces) {
    if (port.master == at.interface) next.push_back({at.node, port.name});
  }
  return next;
}

bool answers_for(const Node& node, const IpAddress& address) {
  if (holds(node, address)) return true;
  return std::ranges::any_of(node.routes, [&](const network::Route& route) {
    return route.type == network::RouteType::local && route.to.contains(address) && !address.is_loopback();
  });
}

bool uses(const Interface& interface, const IpAddress& address) {
  const bool configured = std::ranges::any_of(
      interface.addresses, [&](const InterfaceAddress& held) { return held.address == address; });
  return configured && std::ranges::count(interface.duplicate, address) == 0;
}

bool answers_at(Facts& facts, const Endpoint& at, const IpAddress& address) {
  const Interface* interface = interface_at(facts, at);
  if (interface == nullptr || !is_end(facts, at)) return false;
  if (uses(*interface, address)) return true;
  const Node* node = facts.node(at.node);
  const bool refused = std::ranges::count(interface->duplicate, address) != 0;
  return address.is_v4() && !refused && node != nullptr && answers_for(*node, address);
}

const Sighting* seen(const Journey& journey, Leg leg, std::string_view node, traffic::Direction direction) {
  const Sighting* last = nullptr;
  for (const Sighting& sighting : journey.sightings) {
    if (sighting.is(leg, node, direction) && sighting.packet.ip) last = &sighting;
  }
  return last;
}

/// What a node of the way does with the packet: where from and where to it goes on.
struct Headed {
  IpAddress source, destination;
};

/// A router may translate what it forwards; the packet as it left is the best word on that.
Headed headed(const Case& question, Facts& facts, Leg leg, const std::string& node, const Headed& came) {
  if (const Sighting* out = seen(question.journey, leg, node, traffic::Direction::out);
      out != nullptr && is_end(facts, {node, out->interface})) {
    return {out->packet.ip->source, out->packet.ip->destination};
  }
  Headed on = came;
  for (const Passage& passage : question.kernel.passages) {
    const bool behind =
        !passage.bridge && (passage.hook == Hook::forward || passage.hook == Hook::postrouting);
    if (passage.node == node && passage.leg == leg && behind) {
      return {passage.source, passage.destination};
    }
  }
  for (const Translation& known : question.kernel.translations) {
    if (known.node != node) continue;
    if (leg == Leg::forward && known.destination_translated) on.destination = known.reply.source;
    if (leg == Leg::reply && known.source_translated) on.destination = known.original.source;
  }
  if (leg == Leg::reply) {
    // An answer goes back to where the probe came from.
    if (const Sighting* probe = taken_in(question, facts, Leg::forward, node)) {
      on.destination = probe->packet.ip->source;
    }
  }
  return on;
}

std::string incoming(Facts& facts, const Sighting* came) {
  if (came == nullptr) return {};
  const Interface* interface = built(facts, {came->node, came->interface});
  return interface != nullptr && !interface->master.empty() ? interface->master : came->interface;
}

struct Start {
  Leg leg = Leg::forward;
  std::string node;
  Headed headed;
};

/// A guard rejected it, and its word never came to the sender.
std::optional<Start> unheard(const Case& question) {
  const bool silent = question.outcome.status == traffic::ProbeOutcome::Status::timeout;
  if (question.promise != Case::Promise::deny || question.how != "reject" || !silent) return std::nullopt;
  const Stopper stop = stopper(question.kernel, Leg::forward);
  if (!stop || stop.passage->verdict != "reject" || stop.passage->node == question.from) return std::nullopt;
  const IpAddress none = question.to.is_v4() ? IpAddress::v4({}) : IpAddress::v6({});
  return Start{Leg::error, stop.passage->node, {none, question.outcome.identity.source}};
}

/// Where the node that was asked sent the packet on to, as its NAT turned it. Absent: it took it for itself.
std::optional<IpAddress> turned_to(const Case& question, Facts& facts) {
  const Node* node = question.to_node.empty() ? nullptr : facts.node(question.to_node);
  if (node == nullptr) return std::nullopt;
  const auto others = [&](const IpAddress& to) {
    return to != question.to && !to.is_loopback() && !answers_for(*node, to);
  };
  for (const Translation& known : question.kernel.translations) {
    const bool this_one = known.node == node->name && known.original.destination == question.to;
    if (this_one && known.destination_translated && others(known.reply.source)) return known.reply.source;
  }
  for (const Passage& passage : question.kernel.passages) {
    const bool there = passage.node == node->name && passage.leg == Leg::forward && !passage.bridge;
    if (there && others(passage.destination)) return passage.destination;
  }
  return std::nullopt;
}

/// By whom the probe was to be taken in. Empty: by nobody that is known.
std::string target_of(const Case& question, Facts& facts) {
  const auto turned = turned_to(question, facts);
  if (!turned) return question.to_node;
  const Node* owner = facts.topology().owner_of(*turned);
  return owner == nullptr ? std::string() : owner->name;
}

std::optional<Start> start_of(const Case& question, Facts& facts) {
  const Journey& journey = question.journey;
  if (question.link) return std::nullopt;
  if (question.outcome.status == traffic::ProbeOutcome::Status::replied) return std::nullopt;
  const std::string target = target_of(question, facts);
  const Sighting* arrival = target.empty() ? nullptr : taken_in(question, facts, Leg::forward, target);
  const auto answers = journey.answers();
  if (const auto said = unheard(question)) return said;
  if (question.route) {
    const IpAddress none = question.to.is_v4() ? IpAddress::v4({}) : IpAddress::v6({});
    return Start{Leg::forward, question.from, {question.route->from.value_or(none), question.to}};
  }
  if (arrival == nullptr && answers.empty()) {
    return Start{Leg::forward, question.from, {question.outcome.identity.source, question.to}};
  }
  const std::string& node = arrival != nullptr ? target : answers.front()->node;
  if (arrival == nullptr) arrival = taken_in(question, facts, Leg::forward, node);
  if (arrival == nullptr || !arrival->packet.ip) return std::nullopt;
  return Start{Leg::reply, node, {arrival->packet.ip->destination, arrival->packet.ip->source}};
}

/// The node told the probe's sender, by ICMP or as its own kernel, that it cannot reach its neighbour.
bool said_unreachable(const Case& question, Facts& facts, const Hop& hop) {
  using Status = traffic::ProbeOutcome::Status;
  const traffic::ProbeOutcome& outcome = question.outcome;
  if (hop.leg != Leg::forward) return false;
  if (outcome.status == Status::local_error) {
    return hop.node == question.from && outcome.error_number == EHOSTUNREACH;
  }
  if (outcome.status != Status::icmp_error || !outcome.icmp) return false;
  const traffic::IcmpError& icmp = *outcome.icmp;
  const Node* node = facts.node(hop.node);
  return icmp.type == (icmp.v6 ? 1 : 3) && icmp.code == (icmp.v6 ? 3 : 1) && node != nullptr &&
         holds(*node, icmp.from);
}

RouteAnswer look_up(Facts& facts, const Hop& hop, const Headed& came, const std::string& iif) {
  RouteQuestion question;
  question.to = hop.destination;
  question.iif = iif;
  const Node* node = facts.node(hop.node);
  const bool own = iif.empty() && node != nullptr && holds(*node, came.source);
  if (own || !iif.empty()) question.from = came.source;
  return facts.route(hop.node, question);
}

/// Rules and marks that the question leaves out may lead it elsewhere: where it was seen to leave, it left.
void believe_the_sighting(const Case& question, Facts& facts, Hop& hop) {
  const Sighting* out = seen(question.journey, hop.leg, hop.node, traffic::Direction::out);
  if (out == nullptr || !is_end(facts, {hop.node, out->interface})) return;
  hop.left = true;
  if (out->interface == hop.route.dev) return;
  hop.route.dev = out->interface;
  hop.route.via.reset();
  hop.route.error = 0;
  const Node* node = facts.node(hop.node);
  const Interface* interface = interface_at(facts, hop.out());
  if (node == nullptr || interface == nullptr) return;
  const auto on_link = [&](const InterfaceAddress& held) { return held.network().contains(hop.destination); };
  if (std::ranges::any_of(interface->addresses, on_link)) return;
  for (const network::Route& route : node->routes) {
    if (route.dev == hop.route.dev && route.via && route.to.contains(hop.destination)) {
      hop.route.via = route.via;
      return;
    }
  }
}

/// As far as the ways to all of the segment are one, but no further than the first node that takes frames in.
std::vector<Endpoint> trunk_of(Facts& facts, const std::vector<Way>& segment) {
  std::vector<Endpoint> shared;
  for (std::size_t length = 1;; ++length) {
    const auto is_so_long = [&](const Way& way) { return way.over.size() == length; };
    if (std::ranges::count_if(segment, is_so_long) != 1) return shared;
    shared = std::ranges::find_if(segment, is_so_long)->over;
    if (length > 1 && is_end(facts, shared.back())) return shared;
  }
}

void look_around(Facts& facts, Hop& hop) {
  hop.next = hop.route.via.value_or(hop.destination);
  hop.segment = segment(facts, hop.out());
  hop.holders = holders_on(facts, hop.segment, hop.next);
  hop.trunk = trunk_of(facts, hop.segment);
  for (NeighbourFact& known : facts.neighbours(hop.node)) {
    if (known.address == hop.next && known.dev == hop.route.dev) hop.neighbour = std::move(known);
  }
}

/// Whether the taps saw the node ask, and nobody answer it.
bool asked_in_vain(const Case& question, const Hop& hop) {
  constexpr std::uint8_t kSolicitation = 135;
  constexpr std::uint8_t kAdvertisement = 136;
  bool asked = false;
  for (const Sighting& each : question.journey.sightings) {
    if (each.leg != Leg::neighbour || each.node != hop.node) continue;
    const bool out = each.packet.direction == traffic::Direction::out;
    if (const auto* arp = std::get_if<traffic::ArpHeader>(&each.packet.transport)) {
      if (arp->request && out && arp->target == hop.next) asked = true;
      if (!arp->request && !out && arp->sender == hop.next) return false;
    }
    const auto* icmp = std::get_if<traffic::IcmpHeader>(&each.packet.transport);
    if (icmp == nullptr || !icmp->v6 || icmp->target != hop.next) continue;
    if (icmp->type == kSolicitation && out) asked = true;
    if (icmp->type == kAdvertisement && !out) return false;
  }
  return asked;
}

/// Its kernel reports that it passed the last hook, and it never left: it waits for a hardware address.
bool waits(const Case& question, const Hop& hop) {
  if (hop.left || !question.journey.complete) return false;
  return std::ranges::any_of(question.kernel.passages, [&](const Passage& passage) {
    return passage.node == hop.node && passage.leg == hop.leg && !passage.bridge &&
           passage.hook == Hook::postrouting && passage.verdict == "accept";
  });
}

/// The holder that got the packet.
const Sighting* got_by(const Case& question, Facts& facts, const Hop& hop) {
  for (const Way& holder : hop.holders) {
    if (holder.end().node == hop.node) continue;
    if (const Sighting* came = taken_in(question, facts, hop.leg, holder.end().node)) return came;
  }
  return nullptr;
}

}  // namespace

std::string place(const Endpoint& at) {
  return fmt::format("{}:{}", at.node, at.interface);
}

std::vector<Way> segment(Facts& facts, const Endpoint& from) {
  std::vector<Way> ways{{{from}}};
  std::set<Endpoint> known{from};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const Endpoint here = ways[i].end();
    for (const Endpoint& next : next_to(facts, here)) {
      if (!known.insert(next).second) continue;
      Way way = ways[i];
      way.over.push_back(next);
      ways.push_back(std::move(way));
    }
  }
  return ways;
}

bool is_end(Facts& facts, const Endpoint& at) {
  const Interface* interface = built(facts, at);
  return interface == nullptr || interface->master.empty();
}

const Interface* interface_at(Facts& facts, const Endpoint& at) {
  const Node* node = facts.node(at.node);
  return node == nullptr ? nullptr : node->find_interface(at.interface);
}

std::vector<Endpoint> holders(Facts& facts, const IpAddress& address) {
  std::vector<Endpoint> found;
  for (const Node& each : facts.topology().nodes) {
    const Node* node = facts.node(each.name);
    if (node == nullptr) continue;
    for (const Interface& interface : node->interfaces) {
      if (uses(interface, address)) found.push_back({each.name, interface.name});
    }
  }
  return found;
}

std::vector<Way> holders_on(Facts& facts, const std::vector<Way>& segment, const IpAddress& address) {
  std::vector<Way> found;
  for (const Way& way : segment) {
    if (answers_at(facts, way.end(), address)) found.push_back(way);
  }
  return found;
}

const Sighting* taken_in(const Case& question, Facts& facts, Leg leg, std::string_view node) {
  for (const Sighting& sighting : question.journey.sightings) {
    const bool in = sighting.is(leg, node, traffic::Direction::in) && sighting.packet.ip.has_value();
    if (in && is_end(facts, {sighting.node, sighting.interface})) return &sighting;
  }
  return nullptr;
}

bool Hop::unanswered() const {
  const bool asking = neighbour && (neighbour->state == NeighbourState::incomplete ||
                                    neighbour->state == NeighbourState::failed);
  // Kernels throw such entries out early where all namespaces together have many (gc_thresh).
  return asking || ((refused || asked) && !neighbour);
}

std::vector<Endpoint> Hop::way() const {
  return holders.empty() ? trunk : holders.front().over;
}

std::optional<Hop> broken_hop(const Case& question, Facts& facts) {
  const auto start = start_of(question, facts);
  if (!start || stopper(question.kernel, start->leg)) return std::nullopt;
  std::string node = start->node;
  Headed came = start->headed;
  std::string iif;
  for (std::size_t hops = 0; hops < kMostHops; ++hops) {
    Hop hop;
    hop.leg = start->leg;
    hop.node = node;
    const Headed on = headed(question, facts, hop.leg, node, came);
    hop.source = on.source;
    hop.destination = on.destination;
    hop.route = look_up(facts, hop, came, iif);
    if (hop.route.found() && hop.route.type == LookupType::local) return std::nullopt;
    believe_the_sighting(question, facts, hop);
    if (!hop.route.found() || hop.route.dev.empty()) return hop;
    look_around(facts, hop);
    hop.refused = said_unreachable(question, facts, hop);
    hop.asked = asked_in_vain(question, hop) || waits(question, hop);
    const Sighting* taken = got_by(question, facts, hop);
    if (taken == nullptr) return hop;
    node = taken->node;
    iif = incoming(facts, taken);
    came = {taken->packet.ip->source, taken->packet.ip->destination};
  }
  return std::nullopt;
}

std::optional<Fault> fault(Facts& facts, const std::vector<Endpoint>& way) {
  for (const Endpoint& at : way) {
    const auto link = facts.link(at.node, at.interface);
    if (!link || link->loopback) continue;
    if (!link->up) return Fault{at, true};
    // A bridge without carrier has no port with one: that port is the fault.
    if (!link->running && link->kind != "bridge") return Fault{at, false};
  }
  return std::nullopt;
}

std::string way_text(const std::vector<Endpoint>& way) {
  std::vector<std::string> places;
  for (const Endpoint& at : way) places.push_back(place(at));
  return fmt::format("{}", fmt::join(places, " - "));
}

std::vector<std::string> questions_seen(const Case& question, const Hop& hop) {
  constexpr std::uint8_t kSolicitation = 135;
  constexpr std::uint8_t kAdvertisement = 136;
  const Sighting* asked = nullptr;
  const Sighting* answered = nullptr;
  for (const Sighting& each : question.journey.sightings) {
    if (each.leg != Leg::neighbour) continue;
    const auto* arp = std::get_if<traffic::ArpHeader>(&each.packet.transport);
    const auto* icmp = std::get_if<traffic::IcmpHeader>(&each.packet.transport);
    const bool nd = icmp != nullptr && icmp->v6 && icmp->target == hop.next;
    if ((arp != nullptr && arp->request && arp->target == hop.next) || (nd && icmp->type == kSolicitation)) {
      asked = &each;
    }
    if ((arp != nullptr && !arp->request && arp->sender == hop.next) ||
        (nd && icmp->type == kAdvertisement)) {
      answered = &each;
    }
  }
  std::vector<std::string> lines;
  const std::string next = hop.next.to_string();
  if (asked != nullptr) lines.push_back(fmt::format("who has {} was last seen at {}", next, place(*asked)));
  if (answered != nullptr) {
    lines.push_back(fmt::format("an answer for {} was last seen at {}", next, place(*answered)));
  }
  return lines;
}

std::string neighbour_text(const Hop& hop) {
  if (!hop.neighbour) {
    return hop.refused ? fmt::format("{} said that it cannot reach {}", hop.node, hop.next.to_string())
                       : fmt::format("{} knows no hardware address of {}", hop.node, hop.next.to_string());
  }
  const NeighbourFact& known = *hop.neighbour;
  const std::string mac = known.mac ? fmt::format(" lladdr {}", known.mac->to_string()) : std::string();
  return fmt::format("{}'s neighbour {} dev {}{}: {}", hop.node, known.address.to_string(), known.dev, mac,
                     kernel::netlink::to_text(known.state));
}

}  // namespace plumbline::proof
