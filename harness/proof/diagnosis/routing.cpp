#include "harness/proof/diagnosis/routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace plumbline::proof {
namespace {

using network::Interface;
using network::Node;
using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

bool seen(const Sighting& sighting, Leg leg, std::string_view node) {
  return sighting.leg == leg && sighting.node == node && sighting.packet.ip;
}

/// The probe's packets as they came to `node` and as they left it; null where they were not seen so.
struct Crossing {
  const Sighting* in = nullptr;
  const Sighting* out = nullptr;
};
Crossing crossing(const Journey& journey, Leg leg, std::string_view node) {
  Crossing found;
  for (const Sighting& sighting : journey.sightings) {
    if (!seen(sighting, leg, node)) continue;
    const Sighting*& side = sighting.packet.direction == Direction::out ? found.out : found.in;
    if (side == nullptr) side = &sighting;
  }
  return found;
}

/// What NAT turns back in an answer before it is routed, by the way that the probe went through `node`, or by
/// what conntrack there knows.
void turn_back(const Case& question, std::string_view node, IpAddress& source, IpAddress& destination) {
  const Crossing out = crossing(question.journey, Leg::forward, node);
  if (out.in != nullptr && out.out != nullptr) {
    if (out.out->packet.ip->source == destination) destination = out.in->packet.ip->source;
    if (out.out->packet.ip->destination == source) source = out.in->packet.ip->destination;
    return;
  }
  for (const Translation& known : question.kernel.translations) {
    if (known.node != node || known.reply.destination != destination) continue;
    destination = known.original.source;
    return;
  }
}

/// The packet as a later hook had it is the packet as it was routed.
void as_hooks_saw_it(const Case& question, Leg leg, std::string_view node, IpAddress& source,
                     IpAddress& destination) {
  for (const Passage& passage : question.kernel.passages) {
    const bool routed = !passage.bridge && (passage.hook == Hook::forward || passage.hook == Hook::input);
    if (passage.node != node || passage.leg != leg || !routed) continue;
    source = passage.source;
    destination = passage.destination;
    return;
  }
  for (const Translation& known : question.kernel.translations) {
    const bool same = leg == Leg::forward && known.node == node && known.destination_translated &&
                      known.original.destination == destination;
    if (same) destination = known.reply.source;
  }
}

void as_routed(const Case& question, Leg leg, std::string_view node, IpAddress& source,
               IpAddress& destination) {
  if (leg == Leg::reply) turn_back(question, node, source, destination);
  as_hooks_saw_it(question, leg, node, source, destination);
}

/// Nothing was sent: the node was asked how it would route the packet.
Stranded promised(const Case& question) {
  Stranded packet;
  packet.node = question.from;
  packet.iif = question.route->iif;
  packet.oif = question.route->oif;
  packet.mark = question.route->mark;
  packet.source = question.route->from.value_or(question.to.is_v4() ? IpAddress::v4({}) : IpAddress::v6({}));
  packet.destination = question.to;
  return packet;
}

/// The sender's own kernel had no way, or nothing of it was seen.
std::optional<Stranded> at_its_sender(const Case& question) {
  if (question.outcome.status != Status::local_error || question.journey.left(question.from) != nullptr) {
    return std::nullopt;
  }
  Stranded made;
  made.node = question.from;
  made.source = question.outcome.identity.source;
  made.destination = question.to;
  return made;
}

/// Nothing was ever seen of it, though the taps would have.
std::optional<Stranded> never_left(const Case& question) {
  const auto& sightings = question.journey.sightings;
  const bool unseen =
      std::ranges::none_of(sightings, [](const Sighting& s) { return s.leg == Leg::forward; });
  if (!unseen || !question.journey.complete || question.outcome.status != Status::timeout)
    return std::nullopt;
  Stranded made;
  made.node = question.from;
  made.source = question.outcome.identity.source;
  made.destination = question.to;
  return made;
}

/// The target took it in, and nothing came from it.
std::optional<Stranded> never_answered(const Case& question) {
  if (question.to_node.empty() || question.to_node == question.from) return std::nullopt;
  const Sighting* arrival = question.journey.arrived(question.to_node);
  if (arrival == nullptr || !arrival->packet.ip || question.outcome.status == Status::replied) {
    return std::nullopt;
  }
  for (const Sighting& sighting : question.journey.sightings) {
    const bool of_it = sighting.leg == Leg::reply || sighting.leg == Leg::error;
    const bool spoke =
        of_it && sighting.node == question.to_node && sighting.packet.direction == Direction::out;
    if (spoke) return std::nullopt;
  }
  Stranded answer;
  answer.leg = Leg::reply;
  answer.node = question.to_node;
  answer.source = arrival->packet.ip->destination;
  answer.destination = arrival->packet.ip->source;
  return answer;
}

std::optional<Stranded> on_its_way(const Case& question, Facts& facts) {
  const auto dead = died_inside(question);
  if (!dead) return std::nullopt;
  Stranded packet{dead->leg, dead->node, dead->came, {}, dead->source, dead->destination};
  const Node* node = facts.node(dead->node);
  const Interface* by =
      node == nullptr || dead->came == nullptr ? nullptr : node->find_interface(dead->came->interface);
  // A frame for others at a bridge's port is not routed.
  if (by != nullptr && !by->master.empty() && dead->came->packet.direction == Direction::other_host)
    return std::nullopt;
  if (node != nullptr && dead->came != nullptr) packet.iif = layer3(*node, dead->came->interface);
  as_routed(question, packet.leg, packet.node, packet.source, packet.destination);
  if (takes(facts, packet.node, packet.destination)) return std::nullopt;
  return packet;
}

/// main, local and default: the kernel's rules lead there by themselves.
bool is_own(std::uint32_t table) {
  constexpr std::uint32_t kDefaultTable = 253;
  return table == network::kMainTable || table == network::kLocalTable || table == kDefaultTable;
}

/// Where the packet was to leave, as the first report behind the routing has it.
std::string oif_at_hooks(const Case& question, Leg leg, std::string_view node) {
  for (const Passage& passage : question.kernel.passages) {
    const bool routed =
        !passage.bridge && passage.hook == Hook::forward && passage.node == node && passage.leg == leg;
    if (routed && !passage.oif.empty()) return passage.oif;
  }
  return {};
}

/// Interfaces by which others of the family know it.
std::size_t feet(const Node& node, IpFamily family) {
  return static_cast<std::size_t>(std::ranges::count_if(node.interfaces, [&](const Interface& interface) {
    return speaks(interface) && std::ranges::any_of(interface.addresses, [&](const InterfaceAddress& held) {
             return held.address.family() == family &&
                    (held.address.is_v4() || !held.address.is_link_local());
           });
  }));
}

void take(Exit& exit, const Stranded& packet) {
  exit.came = packet.came;
  exit.iif = packet.iif;
  exit.source = packet.source;
  exit.destination = packet.destination;
  exit.insisted = packet.oif;
  exit.mark = packet.mark;
}

}  // namespace

std::string layer3(const Node& node, const std::string& interface) {
  const Interface* found = node.find_interface(interface);
  return found == nullptr || found->master.empty() ? interface : found->master;
}

std::optional<Stranded> stranded(const Case& question, Facts& facts) {
  if (question.route) return promised(question);
  if (!question.was_sent()) return std::nullopt;
  if (question.outcome.status == Status::replied) return std::nullopt;
  auto packet = at_its_sender(question);
  if (!packet) packet = on_its_way(question, facts);
  if (!packet) packet = never_answered(question);
  if (!packet) packet = never_left(question);
  if (!packet || stopper(question.kernel, Leg::forward) || stopper(question.kernel, Leg::reply)) {
    return std::nullopt;
  }
  return packet;
}

bool takes(Facts& facts, std::string_view node, const IpAddress& address) {
  const Node* known = facts.node(node);
  if (known != nullptr && holds(*known, address)) return true;
  RouteQuestion asked;
  asked.to = address;
  const RouteAnswer answer = facts.route(node, asked);
  return answer.found() && answer.type == kernel::netlink::LookupType::local;
}

const Sighting* came_last(const Case& question, Leg leg) {
  const Sighting* last = nullptr;
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg == leg && sighting.packet.ip) last = &sighting;
  }
  return last == nullptr || last->packet.direction == Direction::out ? nullptr : last;
}

std::optional<Astray> gone_astray(const Case& question, Facts& facts) {
  const auto packet = stranded(question, facts);
  if (!packet || packet->came == nullptr) return std::nullopt;
  const Sighting* sent = nullptr;
  for (const Sighting& sighting : question.journey.sightings) {
    if (&sighting == packet->came) break;
    const Node* node = facts.node(sighting.node);
    const Interface* by = node == nullptr ? nullptr : node->find_interface(sighting.interface);
    const bool leaves = by != nullptr && speaks(*by) && sighting.node != packet->node;
    if (leaves && sighting.leg == packet->leg && sighting.packet.direction == Direction::out)
      sent = &sighting;
  }
  if (sent == nullptr) return std::nullopt;
  const auto exit = exit_of(question, facts, sent->node, packet->leg);
  if (!exit) return std::nullopt;
  Astray astray{sent->node, route_of(facts, sent->node, *exit), exit->destination, packet->node,
                std::nullopt};
  const Node* got = facts.node(packet->node);
  const auto& via = astray.route.via;
  if (!astray.route.found() || !via || got == nullptr || !holds(*got, *via)) return std::nullopt;
  const IpFamily family = packet->destination.family();
  if (const auto named = named_gateway(facts, astray.sender, astray.route.dev, family)) {
    if (*named == *via) return std::nullopt;
    astray.router = named;
    return astray;
  }
  // What has two feet is a router, even where it does not forward just now.
  const bool foot = got->role == network::Role::container || feet(*got, family) < 2;
  if (!foot || (forwards(facts, packet->node, family) && got->role != network::Role::container)) {
    return std::nullopt;
  }
  // Whose a target beyond a live host is nobody knows, but for its containers the host is the way there.
  const Node* sender = facts.node(astray.sender);
  const bool inside = sender != nullptr && sender->role == network::Role::container;
  const std::string& target = question.to_node.empty() && inside ? question.host : question.to_node;
  const std::string& goal = packet->leg == Leg::forward ? target : question.from;
  const auto right = first_hop(facts, astray.sender, goal, family);
  if (!right || right->via == via) return std::nullopt;
  astray.router = right->via;
  return astray;
}

bool sent_away(const Case& question, Facts& facts, const Stranded& packet) {
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg != packet.leg || sighting.packet.direction != Direction::out) continue;
    const Node* node = sighting.node == packet.node ? nullptr : facts.node(sighting.node);
    const Interface* own = node == nullptr ? nullptr : on_link(*node, packet.destination);
    if (own != nullptr && own->name != layer3(*node, sighting.interface)) return true;
  }
  if (question.promise != Case::Promise::egress || packet.leg != Leg::forward || packet.node == question.host)
    return false;
  const auto exit = exit_of(question, facts, question.host, Leg::forward);
  return exit && exit->oif != question.via;
}

std::optional<Steered> steered(const Case& question, Facts& facts) {
  Steered found;
  if (question.route) {
    const auto exit = exit_of(question, facts, question.from, Leg::forward);
    found.node = question.from;
    if (exit) found.exit = *exit;
    found.wanted = question.route->dev;
    found.table = question.route->table;
    if (!exit) take(found.exit, promised(question));
  } else if (question.promise == Case::Promise::egress) {
    const auto exit = exit_of(question, facts, question.host, Leg::forward);
    if (exit && exit->oif == question.via) return std::nullopt;
    if (exit) {
      found.exit = *exit;
      found.node = question.host;
    }
  }
  if (found.node.empty()) {
    const auto packet = stranded(question, facts);
    if (!packet) return std::nullopt;
    found.node = packet->node;
    take(found.exit, *packet);
  }
  if (question.promise == Case::Promise::egress && found.node == question.host) found.wanted = question.via;
  found.answer = route_of(facts, found.node, found.exit);
  const bool by_it = found.wanted.empty() || found.answer.dev == found.wanted;
  if (question.route && found.answer.found() && by_it &&
      found.table.value_or(found.answer.table) == found.answer.table) {
    return std::nullopt;
  }
  if (found.exit.oif.empty() && found.answer.found()) return std::nullopt;
  const Node* node = facts.node(found.node);
  if (node == nullptr) return std::nullopt;
  for (const network::RoutingRule& rule : node->rules) {
    if (holds_for(rule, found.exit.source, found.exit.destination, found.exit.iif, found.exit.insisted))
      found.rules.push_back(rule);
  }
  std::ranges::stable_sort(found.rules, {}, &network::RoutingRule::priority);
  return found;
}

std::optional<network::RoutingRule> rule_to_nowhere(const Steered& packet, Facts& facts) {
  const Node* node = facts.node(packet.node);
  if (node == nullptr || (!packet.answer.found() && packet.answer.error != ENETUNREACH)) return std::nullopt;
  for (const network::RoutingRule& rule : packet.rules) {
    if (packet.answer.found() && rule.table == packet.answer.table) return std::nullopt;
    const IpAddress& to = packet.exit.destination;
    if (is_own(rule.table) || best_route(*node, to, rule.table, packet.exit.insisted) != nullptr) continue;
    return rule;
  }
  return std::nullopt;
}

std::optional<Overtaken> overtaken(const Steered& packet, Facts& facts) {
  const Node* node = facts.node(packet.node);
  const auto first = std::ranges::find(packet.rules, packet.answer.table, &network::RoutingRule::table);
  if (node == nullptr || !packet.answer.found() || first == packet.rules.end()) return std::nullopt;
  for (auto later = first + 1; later != packet.rules.end(); ++later) {
    const network::Route* right =
        best_route(*node, packet.exit.destination, later->table, packet.exit.insisted);
    const bool as_wanted = right != nullptr && right->type == network::RouteType::unicast &&
                           later->table == packet.table.value_or(later->table) &&
                           (packet.wanted.empty() || right->dev == packet.wanted);
    if (as_wanted && later->table != first->table) return Overtaken{*first, *later};
  }
  return std::nullopt;
}

std::optional<std::uint32_t> table_not_asked(const Steered& packet, Facts& facts) {
  const Node* node = facts.node(packet.node);
  if (node == nullptr || (!packet.answer.found() && packet.answer.error != ENETUNREACH)) return std::nullopt;
  for (const network::Route& route : node->routes) {
    const bool other = !is_own(route.table) && (!packet.answer.found() || route.table != packet.answer.table);
    if (!other || best_route(*node, packet.exit.destination, route.table) != &route) continue;
    if (route.type != network::RouteType::unicast) continue;
    if (!packet.wanted.empty() && route.dev != packet.wanted) continue;
    if (packet.table && *packet.table != route.table) continue;
    if (std::ranges::count(packet.rules, route.table, &network::RoutingRule::table) == 0) return route.table;
  }
  return std::nullopt;
}

bool is_connected(const Node& node, IpFamily family) {
  return std::ranges::any_of(node.interfaces, [&](const Interface& interface) {
    return speaks(interface) && interface.up &&
           std::ranges::any_of(interface.addresses, [&](const InterfaceAddress& held) {
             return held.address.family() == family &&
                    (held.address.is_v4() || !held.address.is_link_local());
           });
  });
}

std::optional<IpAddress> named_gateway(Facts& facts, std::string_view node, std::string_view interface,
                                       IpFamily family) {
  const Node* known = facts.topology().find(node);
  const Interface* found = known == nullptr ? nullptr : known->find_interface(interface);
  if (found == nullptr) return std::nullopt;
  const auto named = std::ranges::find(found->gateways, family, &IpAddress::family);
  return named == found->gateways.end() ? std::nullopt : std::optional(*named);
}

std::optional<Exit> exit_of(const Case& question, Facts& facts, std::string_view node, Leg leg) {
  const Node* here = facts.node(node);
  if (here == nullptr) return std::nullopt;
  Exit exit;
  if (question.route) {
    if (leg != Leg::forward || node != question.from) return std::nullopt;
    take(exit, promised(question));
    exit.oif = route_of(facts, node, exit).dev;
    return exit.oif.empty() ? std::nullopt : std::optional(exit);
  }
  for (const Sighting& sighting : question.journey.sightings) {
    if (!seen(sighting, leg, node) || sighting.interface == "lo") continue;
    if (sighting.packet.direction != Direction::out) {
      if (exit.came == nullptr) exit.came = &sighting;
      continue;
    }
    const Interface* by = here->find_interface(sighting.interface);
    if (by != nullptr && !by->master.empty()) continue;
    exit.left = &sighting;
    break;
  }
  exit.oif = exit.left != nullptr ? exit.left->interface : oif_at_hooks(question, leg, node);
  const Sighting* routed = exit.came == nullptr ? exit.left : exit.came;
  if (exit.oif.empty() || routed == nullptr) return std::nullopt;
  exit.source = routed->packet.ip->source;
  exit.destination = routed->packet.ip->destination;
  if (exit.came != nullptr) exit.iif = layer3(*here, exit.came->interface);
  as_routed(question, leg, node, exit.source, exit.destination);
  return exit;
}

RouteAnswer route_of(Facts& facts, const Stranded& packet) {
  RouteQuestion question;
  question.to = packet.destination;
  question.iif = packet.iif;
  question.oif = packet.oif;
  question.mark = packet.mark;
  const Node* node = facts.node(packet.node);
  // Only what a node holds can be the source of its own packets; of others' any can.
  const bool own = packet.iif.empty();
  const bool known = !packet.source.is_unspecified() && packet.source.family() == packet.destination.family();
  if (known && (!own || (node != nullptr && holds(*node, packet.source)))) question.from = packet.source;
  return facts.route(packet.node, question);
}

RouteAnswer route_of(Facts& facts, std::string_view node, const Exit& packet) {
  Stranded asked;
  asked.node = node;
  asked.iif = packet.iif;
  asked.source = packet.source;
  asked.destination = packet.destination;
  asked.oif = packet.insisted;
  asked.mark = packet.mark;
  return route_of(facts, asked);
}

bool left_untranslated(const Case& question, Facts& facts, const IpAddress& source) {
  if (question.host.empty() || question.from == question.host) return false;
  if (question.promise == Case::Promise::egress && question.as) return *question.as != source;
  const Node* sender = facts.node(question.from);
  const Crossing host = crossing(question.journey, Leg::forward, question.host);
  if (sender == nullptr || host.out == nullptr) return false;
  // Between containers of one host nobody translates.
  const Node* target = facts.node(question.to_node);
  if (target != nullptr && target->role == network::Role::container) return false;
  return sender->role == network::Role::container && is_private(source) && holds(*sender, source);
}

Prefix network_of(Facts& facts, const IpAddress& address) {
  for (const Node& node : facts.topology().nodes) {
    for (const Interface& interface : node.interfaces) {
      for (const InterfaceAddress& held : interface.addresses) {
        if (held.address == address) return held.network();
      }
    }
  }
  return {address, address.bits()};
}

std::string on(const std::string& node, const Case& question, const std::string& command) {
  return node == question.host ? command : typed_on(node, command);
}

}  // namespace plumbline::proof
