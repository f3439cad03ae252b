#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

std::string family_text(IpFamily family) {
  return fmt::format("IPv{}", version(family));
}

int longest_on(const network::Interface* interface, const IpAddress& address) {
  if (interface == nullptr) return address.bits();
  for (const InterfaceAddress& held : interface->addresses) {
    if (held.network().contains(address)) return held.prefix_length;
  }
  return address.bits();
}

/// The node that was to send has no address of the family at all.
std::optional<Finding> of_the_sender(Facts& facts, const Hop& hop) {
  const IpFamily family = hop.destination.family();
  const network::Node* node = facts.node(hop.node);
  if (node == nullptr || hop.route.found()) return std::nullopt;
  std::string lacking;
  for (const network::Interface& interface : node->interfaces) {
    const Endpoint at{hop.node, interface.name};
    const auto link = facts.link(at.node, at.interface);
    if (!addresses(interface, family).empty()) return std::nullopt;
    if (!link || link->loopback || !is_end(facts, at)) continue;
    if (!link->up || (family == IpFamily::v6 && lacks_ipv6(facts, at))) return std::nullopt;
    lacking = interface.name;
  }
  if (lacking.empty()) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} has no {} address.", hop.node, family_text(family));
  finding.evidence = {fmt::format("no interface of {} has one, {} among them", hop.node, lacking),
                      fmt::format("{} has no route to {}", hop.node, hop.destination.to_string())};
  finding.fix = {typed_on(hop.node, fmt::format("ip addr add ADDRESS/LENGTH dev {}", lacking))};
  return finding;
}

/// Nobody holds what is asked for, and somebody on the segment has no address.
std::optional<Finding> on_the_segment(Facts& facts, const Hop& hop) {
  if (!hop.unanswered() || !hop.holders.empty() || !holders(facts, hop.next).empty()) return std::nullopt;
  if (fault(facts, hop.way())) return std::nullopt;
  const auto lacking = without_address(facts, hop.segment, hop.next.family());
  if (lacking.empty()) return std::nullopt;
  const Endpoint& at = lacking.front();
  const std::string next = hop.next.to_string();
  Finding finding;
  // Whoever else is on that segment has an address: of a router, it is this one that lacks it.
  const network::Node* bare = facts.topology().find(at.node);
  const bool router = bare != nullptr && bare->role != network::Role::container && hop.route.via;
  finding.certainty = router && lacking.size() == 1 ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("Nobody holds {}, and {}, which is on that segment, has no {} address.", next,
                                place(at), family_text(hop.next.family()));
  finding.evidence = {neighbour_text(hop)};
  for (const Endpoint& each : lacking) {
    finding.evidence.push_back(
        fmt::format("{} has no {} address", place(each), family_text(hop.next.family())));
  }
  finding.fix = {
      typed_on(at.node, fmt::format("ip addr add {}/{} dev {}", next,
                                    longest_on(interface_at(facts, hop.out()), hop.next), at.interface))};
  return finding;
}

/// It came to a node that forwards nothing and does not hold the address either.
std::optional<Finding> at_the_end(const Case& question, Facts& facts, const Hop& hop) {
  const IpAddress& to = hop.destination;
  const network::Node* node = facts.node(hop.node);
  const Sighting* came = taken_in(question, facts, hop.leg, hop.node);
  if (came == nullptr || node == nullptr || node->role == network::Role::host) return std::nullopt;
  if (facts.topology().owner_of(to) != nullptr || !holders(facts, to).empty()) return std::nullopt;
  // Who took it for a router need not hold what lies beyond.
  if (gone_astray(question, facts)) return std::nullopt;
  const std::string forwarding = to.is_v4() ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
  if (facts.sysctl(hop.node, forwarding) != "0") return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} does not hold {}, though it is where packets for it are sent.", hop.node,
                                to.to_string());
  finding.evidence = {
      fmt::format("{} > {} came in by {}", hop.source.to_string(), to.to_string(), place(*came)),
      fmt::format("no interface of any node has {}", to.to_string()),
      fmt::format("{} of {} is 0: it is no router", forwarding, hop.node)};
  finding.fix = {typed_on(
      hop.node, fmt::format("ip addr add {}/{} dev {}", to.to_string(), to.bits(), came->interface))};
  return finding;
}

/// The node has an interface on the target's segment, but no address there, so that it looks elsewhere.
std::optional<Finding> of_the_near_end(Facts& facts, const std::string& name, const IpAddress& to) {
  RouteQuestion towards;
  towards.to = to;
  const RouteAnswer route = facts.route(name, towards);
  for (const Endpoint& holder : holders(facts, to)) {
    if (holder.node == name || leads_to(facts, name, to, holder)) continue;
    for (const Way& way : segment(facts, holder)) {
      const network::Interface* near = interface_at(facts, way.end());
      if (way.end().node != name || near == nullptr || !near->up || !is_end(facts, way.end())) continue;
      const auto link = facts.link(way.end().node, way.end().interface);
      if (!link || !link->up || !addresses(*near, to.family()).empty()) continue;
      if (to.family() == IpFamily::v6 && lacks_ipv6(facts, way.end())) continue;
      Finding finding;
      finding.certainty = Certainty::proven;
      finding.summary = fmt::format("{} has no {} address, so that {} does not know that {} is there.",
                                    place(way.end()), family_text(to.family()), name, to.to_string());
      finding.evidence = {
          fmt::format("{} holds {}, on the segment of {}", place(holder), to.to_string(), place(way.end())),
          route.found() ? fmt::format("{} sends what is for it by {} instead", name, route.dev)
                        : fmt::format("{} has no route to it", name)};
      finding.fix = {
          typed_on(name, fmt::format("ip addr add ADDRESS/{} dev {}",
                                     longest_on(interface_at(facts, holder), to), way.end().interface))};
      return finding;
    }
  }
  return std::nullopt;
}

/// It sends to the world with its link-local address, for want of another, which no router passes on.
std::optional<Finding> of_a_stranger(const Case& question, Facts& facts) {
  if (!question.was_sent() || question.family() != IpFamily::v6 || question.to.is_link_local())
    return std::nullopt;
  const Sighting* left = question.journey.left(question.from);
  const network::Node* node = facts.node(question.from);
  if (left == nullptr || node == nullptr || !left->packet.ip || !left->packet.ip->source.is_link_local())
    return std::nullopt;
  const network::Interface* by = node->find_interface(left->interface);
  const bool any = std::ranges::any_of(node->interfaces, [](const network::Interface& interface) {
    return !addresses(interface, IpFamily::v6).empty();
  });
  if (by == nullptr || any || lacks_ipv6(facts, {question.from, by->name})) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format(
      "{} has no IPv6 address but its link-local one, with which nothing gets beyond "
      "its link.",
      question.from);
  finding.evidence = {fmt::format("{} > {} was sent by {}:{}", left->packet.ip->source.to_string(),
                                  question.to.to_string(), question.from, by->name)};
  finding.fix = {typed_on(question.from, fmt::format("ip addr add ADDRESS/LENGTH dev {}", by->name))};
  return finding;
}

/// One that was promised is not held.
std::optional<Finding> as_promised(const Case::Link& promised, Facts& facts) {
  const Endpoint at{promised.node, promised.interface};
  const network::Interface* interface = interface_at(facts, at);
  if (interface == nullptr) return std::nullopt;
  for (const InterfaceAddress& wanted : promised.addresses) {
    const bool held = std::ranges::any_of(
        interface->addresses, [&](const InterfaceAddress& each) { return each.address == wanted.address; });
    if (held) continue;
    const int length = wanted.prefix_length < 0 ? wanted.address.bits() : wanted.prefix_length;
    Finding finding;
    finding.certainty = Certainty::proven;
    finding.summary = fmt::format("{} does not hold {}.", place(at), wanted.address.to_string());
    finding.fix = {typed_on(
        at.node, fmt::format("ip addr add {}/{} dev {}", wanted.address.to_string(), length, at.interface))};
    return finding;
  }
  return std::nullopt;
}

/// The uplink lacks the address that packets were to leave with.
std::optional<Finding> of_the_uplink(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::egress || !question.as) return std::nullopt;
  const Endpoint at{question.host, question.via};
  const network::Interface* uplink = interface_at(facts, at);
  if (uplink == nullptr || !uplink->up || !holders(facts, *question.as).empty()) return std::nullopt;
  const auto held = addresses(*uplink, question.as->family());
  // Whose the promised source is, is known only where it is of the uplink's own network.
  const auto near = std::ranges::find_if(
      held, [&](const InterfaceAddress& each) { return each.network().contains(*question.as); });
  if (near == held.end()) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} holds {}, and nobody holds {}, which packets are to leave with.",
                                place(at), near->address.to_string(), question.as->to_string());
  finding.evidence = {fmt::format("no interface of any node has {}", question.as->to_string())};
  finding.fix = {typed_on(at.node, fmt::format("ip addr replace {}/{} dev {}", question.as->to_string(),
                                               near->prefix_length, at.interface))};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link) return as_promised(*question.link, facts);
  if (question.to.is_loopback()) return std::nullopt;
  if (auto finding = of_the_uplink(question, facts)) return finding;
  if (auto finding = of_a_stranger(question, facts)) return finding;
  const auto hop = broken_hop(question, facts);
  if (hop) {
    if (auto finding = of_the_sender(facts, *hop)) return finding;
  }
  if (auto finding = of_the_near_end(facts, question.from, question.to)) return finding;
  if (!hop) return std::nullopt;
  if (auto finding = of_the_near_end(facts, hop->node, hop->destination)) return finding;
  if (auto finding = at_the_end(question, facts, *hop)) return finding;
  return hop->route.found() ? on_the_segment(facts, *hop) : std::nullopt;
}

}  // namespace

CauseKind address_missing_cause() {
  return {
      "address-missing",
      "A node does not hold the address that it should.",
      "The kernel answers for an address only while one of its interfaces holds it. Addresses are lost when "
      "an interface is made anew or set down (IPv6), when DHCP's lease runs out, when a network manager "
      "flushes what it did not set, and when `ip addr del` of an interface's first address takes the "
      "secondary ones of the same network along (`promote_secondaries=0`). A container whose CNI plug-in or "
      "runtime hook failed half-way has an interface and no address.",
      "The packet came to a node that is no router and does not hold its destination; or it is asked for in "
      "vain, nobody holds it, and an interface on that segment has no address of that family; or the sender "
      "itself has none. `ip -br addr` shows what is held.",
      "```\nip addr add ADDRESS/LENGTH dev DEV\n```\nTo make it last, look for who should have set it: the "
      "runtime's log, `journalctl -u systemd-networkd`, `/etc/network/interfaces`; and set "
      "`net.ipv4.conf.all.promote_secondaries=1`.",
      recognise,
      CauseKind::Depth::link,
      {"interface-missing", "link-down", "no-carrier", "not-on-bridge", "wrong-subnet", "ipv6-disabled",
       "duplicate-address"}};
}

}  // namespace plumbline::proof
