#include "harness/engine/inference/ways.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.hpp"
#include "harness/kernel/netlink/link.hpp"

namespace plumbline::engine::detail {
namespace {

using Kind = Outcome::Kind;
using proof::Hook;
constexpr const char* kAnswer = "the answer meets ";

/// One end of a ping, and by which interface of its node it comes and goes.
struct End {
  std::string node;
  std::string interface;
  IpAddress address;
};

/// Whether a node that a ping came to answers it.
RuleAnswer answers(const Context& context, const End& at, const IpAddress& asker) {
  RuleAnswer answer =
      rules_at(context.facts, at.node, Hook::input, ping_packet(asker, at.address, at.interface, {}));
  const char* path = at.address.is_v4() ? "net/ipv4/icmp_echo_ignore_all" : "net/ipv6/icmp/echo_ignore_all";
  if (context.facts.sysctl(at.node, path).value_or("0") != "0") {
    answer.then({RuleAnswer::Kind::stops, fmt::format("{} of {} is set", path, at.node)});
  }
  answer.then(
      rules_at(context.facts, at.node, Hook::output, answer_packet(at.address, asker, {}, at.interface)),
      kAnswer);
  return answer;
}

/// The host's end of the member's cable, where that is a port of a bridge; empty: it is none.
std::string port_of(const Context& context, const Segment& segment, const Member& member) {
  const network::Node* node = context.view.topology.find(member.node);
  const network::Interface* interface = node == nullptr ? nullptr : node->find_interface(member.interface);
  if (!segment.bridge || interface == nullptr || !interface->peer) return {};
  return interface->peer->interface;
}

/// What the rules about a bridge's frames do with a packet on its way from port to port; empty: the host.
RuleAnswer frames_one_way(const Context& context, const std::string& from, const std::string& to,
                          proof::firewall::RulePacket packet) {
  RuleAnswer answer;
  const auto at = [&](Hook hook, const std::string& iif, const std::string& oif) {
    packet.iif = iif;
    packet.oif = oif;
    answer.then(frame_rules_at(context.facts, context.host.name, hook, packet));
  };
  if (!from.empty()) at(Hook::prerouting, from, {});
  if (from.empty())
    at(Hook::output, {}, to);
  else if (to.empty())
    at(Hook::input, from, {});
  else
    at(Hook::forward, from, to);
  if (!to.empty()) at(Hook::postrouting, {}, to);
  return answer;
}

RuleAnswer frames(const Context& context, const std::string& from_port, const std::string& to_port,
                  const IpAddress& from, const IpAddress& to) {
  if (from_port.empty() && to_port.empty()) return {};
  RuleAnswer answer = frames_one_way(context, from_port, to_port, ping_packet(from, to, {}, {}));
  answer.then(frames_one_way(context, to_port, from_port, answer_packet(to, from, {}, {})), kAnswer);
  return answer;
}

/// A port that lets nothing through, or not to another that is isolated too.
RuleAnswer ports(const Context& context, const std::string& from, const std::string& to) {
  constexpr std::uint8_t kForwarding = 3;  // BR_STATE_FORWARDING
  const auto one = context.facts.link(context.host.name, from);
  const auto other = context.facts.link(context.host.name, to);
  for (const auto& link : {one, other}) {
    if (link && link->port_state.value_or(kForwarding) != kForwarding) {
      return {RuleAnswer::Kind::stops, fmt::format("port {} does not forward", printable(link->name))};
    }
  }
  if (one && other && one->port && other->port && one->port->isolated && other->port->isolated) {
    return {RuleAnswer::Kind::stops,
            fmt::format("ports {} and {} are isolated", printable(from), printable(to))};
  }
  return {};
}

/// Frames between ports of a bridge meet IP's FORWARD where br_netfilter hands them over.
RuleAnswer bridge_netfilter(const Context& context, const proof::firewall::RulePacket& packet) {
  const char* path =
      packet.source.is_v4() ? "net/bridge/bridge-nf-call-iptables" : "net/bridge/bridge-nf-call-ip6tables";
  if (context.facts.sysctl(context.host.name, path).value_or("0") == "0") return {};
  return rules_at(context.facts, context.host.name, Hook::forward, packet);
}

Outcome of(const RuleAnswer& answer) {
  if (answer.passes()) return {};
  return {answer.stops() ? Kind::unanswered : Kind::open, answer.by};
}

/// Why the node's route to the other end, from its own address, is not the one meant; passes: it is.
RuleAnswer way_back(const Context& context, const End& at, const IpAddress& to) {
  const proof::RouteAnswer route = context.facts.route(at.node, {to, at.address, {}, 0, {}});
  if (!route.found()) {
    return {RuleAnswer::Kind::stops, fmt::format("{} has no route back", at.node)};
  }
  if (route.dev == at.interface) return {};
  return {RuleAnswer::Kind::unknown,
          fmt::format("{}, which sends its answer by {}", at.node, printable(route.dev))};
}

/// A ping between the host and a member, whichever asks.
Outcome plugged(const Context& context, const Segment& segment, const Member& member, const End& from,
                const End& to) {
  const proof::RouteAnswer route = context.facts.route(from.node, {to.address, {}, {}, 0, {}});
  if (!route.found()) return {Kind::unrouted, fmt::format("{} has no route there", from.node)};
  if (route.dev != from.interface) {
    return {Kind::elsewhere, fmt::format("{} routes it by {}", from.node, printable(route.dev))};
  }
  RuleAnswer answer = own_way_out(context, from.node, from.interface, from.address, to.address);
  const std::string port = port_of(context, segment, member);
  const bool out = from.node == context.host.name;
  answer.then(frames(context, out ? "" : port, out ? port : "", from.address, to.address));
  answer.then(answers(context, to, from.address));
  answer.then(way_back(context, to, from.address));
  return of(answer);
}

/// A denial is proven by what only the host gets through: it must reach the target itself.
Outcome denied(const Context& context, const Segment& segment, const Member& target, IpFamily family,
               const std::string& by) {
  const Outcome control = host_to_member(context, segment, target, family);
  if (control.kind == Kind::answered) return {Kind::denied, by};
  const std::string why =
      control.by.empty() ? fmt::format("the host has no address on {}", printable(segment.dev)) : control.by;
  return {Kind::unanswered, fmt::format("{}; and no denial could be shown, for {} is not reached by the "
                                        "host either: {}",
                                        by, target.node, why)};
}

}  // namespace

proof::firewall::RulePacket answer_packet(const IpAddress& from, const IpAddress& to, std::string iif,
                                          std::string oif) {
  auto packet = ping_packet(from, to, std::move(iif), std::move(oif));
  packet.state = "established";
  return packet;
}

std::string over(IpFamily family) {
  return family == IpFamily::v4 ? "" : " over IPv6";
}

const IpAddress* host_address(const Segment& segment, const Member& member, IpFamily family) {
  const IpAddress* there = member.address(family);
  const IpAddress* first = nullptr;
  if (there == nullptr) return nullptr;
  for (const InterfaceAddress& each : segment.host_addresses) {
    if (each.address.family() != family) continue;
    if (each.network().contains(*there)) return &each.address;
    if (first == nullptr) first = &each.address;
  }
  return first;
}

RuleAnswer own_way_out(const Context& context, const std::string& node, const std::string& interface,
                       const IpAddress& own, const IpAddress& to, std::optional<std::uint16_t> tcp) {
  auto probe = ping_packet(own, to, {}, interface);
  auto back = answer_packet(to, own, interface, {});
  if (tcp) make_tcp(probe, back, *tcp);
  RuleAnswer answer = rules_at(context.facts, node, Hook::output, probe);
  answer.then(rules_at(context.facts, node, Hook::input, back), kAnswer);
  return answer;
}

void make_tcp(proof::firewall::RulePacket& probe, proof::firewall::RulePacket& back, std::uint16_t port) {
  constexpr std::uint16_t kTcp = 6;
  probe.protocol = back.protocol = kTcp;
  probe.destination_port = back.source_port = port;
}

Outcome host_to_member(const Context& context, const Segment& segment, const Member& member,
                       IpFamily family) {
  const IpAddress* own = host_address(segment, member, family);
  if (own == nullptr) return {Kind::elsewhere, {}};
  return plugged(context, segment, member, {context.host.name, segment.dev, *own},
                 {member.node, member.interface, *member.address(family)});
}

Outcome member_to_host(const Context& context, const Segment& segment, const Member& member,
                       IpFamily family) {
  const IpAddress* own = host_address(segment, member, family);
  if (own == nullptr) return {Kind::elsewhere, {}};
  return plugged(context, segment, member, {member.node, member.interface, *member.address(family)},
                 {context.host.name, segment.dev, *own});
}

Outcome bridged(const Context& context, const Segment& segment, const Member& from, const Member& to,
                IpFamily family) {
  const IpAddress& here = *from.address(family);
  const IpAddress& there = *to.address(family);
  const proof::RouteAnswer route = context.facts.route(from.node, {there, {}, {}, 0, {}});
  if (!route.found()) return {Kind::open, fmt::format("{}, which has no route there", from.node)};
  if (route.dev != from.interface || route.via) {
    return {Kind::elsewhere, fmt::format("{} routes it by {}", from.node,
                                         route.via ? route.via->to_string() : printable(route.dev))};
  }
  RuleAnswer answer = own_way_out(context, from.node, from.interface, here, there);
  const RuleAnswer probe = bridge_netfilter(context, ping_packet(here, there, segment.dev, segment.dev));
  // What its own rules keep from leaving shows nothing of the host's.
  if (answer.passes() && probe.stops()) return denied(context, segment, to, family, probe.by);
  answer.then(probe);
  const std::string from_port = port_of(context, segment, from);
  const std::string to_port = port_of(context, segment, to);
  answer.then(frames(context, from_port, to_port, here, there));
  answer.then(ports(context, from_port, to_port));
  answer.then(answers(context, {to.node, to.interface, there}, here));
  answer.then(way_back(context, {to.node, to.interface, there}, here));
  answer.then(bridge_netfilter(context, answer_packet(there, here, segment.dev, segment.dev)), kAnswer);
  return of(answer);
}

ForwardRoute forward_route(const Context& context, const IpAddress& from, const IpAddress& to,
                           const std::string& iif, const std::string& wanted) {
  const RuleAnswer mark = marked_at(context.facts, context.host.name, ping_packet(from, to, iif, {}));
  if (!mark.passes()) return {mark, {}, {}};
  const proof::RouteAnswer route = context.facts.route(context.host.name, {to, from, iif, 0, {}});
  if (!route.found() || route.type != kernel::netlink::LookupType::unicast) {
    return {{RuleAnswer::Kind::stops, "no route of the host's for what comes in there"}, {}, {}};
  }
  ForwardRoute found{{}, route.dev, route.via};
  if (!wanted.empty() && route.dev != wanted) {
    found.answer = {RuleAnswer::Kind::stops,
                    fmt::format("a route of the host's by {} (table {})", printable(route.dev), route.table)};
  }
  return found;
}

Outcome routed(const Context& context, const Segment& from_segment, const Member& from,
               const Segment& to_segment, const Member& to, IpFamily family) {
  const IpAddress& there = *to.address(family);
  const proof::RouteAnswer way = context.facts.route(from.node, {there, {}, {}, 0, {}});
  if (!way.found()) return {Kind::unrouted, fmt::format("{} has no route there", from.node)};
  if (way.dev != from.interface) return {Kind::elsewhere, {}};
  const IpAddress here = way.source.value_or(*from.address(family));
  RuleAnswer answer = own_way_out(context, from.node, from.interface, here, there);
  if (answer.passes() && !forwards(context, from_segment.dev, family)) {
    return denied(context, to_segment, to, family,
                  fmt::format("forwarding is off on {}", printable(from_segment.dev)));
  }
  const RuleAnswer rules = forwarded(context, ping_packet(here, there, from_segment.dev, to_segment.dev));
  const RuleAnswer route = forward_route(context, here, there, from_segment.dev, to_segment.dev).answer;
  if (answer.passes() && rules.stops() && route.passes())
    return denied(context, to_segment, to, family, rules.by);
  answer.then(frames(context, port_of(context, from_segment, from), {}, here, there));
  answer.then(route);
  answer.then(rules);
  answer.then(frames(context, {}, port_of(context, to_segment, to), here, there));
  answer.then(answers(context, {to.node, to.interface, there}, here));
  answer.then(way_back(context, {to.node, to.interface, there}, here));
  answer.then(forward_route(context, there, here, to_segment.dev, from_segment.dev).answer, kAnswer);
  answer.then(forwarded(context, answer_packet(there, here, to_segment.dev, from_segment.dev)), kAnswer);
  return of(answer);
}

}  // namespace plumbline::engine::detail
