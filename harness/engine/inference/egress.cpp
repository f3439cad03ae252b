#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/text.hpp"
#include "harness/engine/inference/context.hpp"
#include "harness/engine/inference/ways.hpp"

// What leaves the host: by which uplink, with whose address, or not at all.
namespace plumbline::engine::detail {
namespace {

struct Goal {
  IpAddress address;
  std::string said;  ///< who names it
};

std::optional<Goal> goal_of(const Context& context, IpFamily family) {
  if (context.options.no_egress) return {};
  if (context.options.internet) {
    if (context.options.internet->family() != family) return {};
    return Goal{*context.options.internet, "as --internet says"};
  }
  const auto uplink = default_uplink(context, family);
  if (!uplink || !uplink->gateway) return {};
  return Goal{*uplink->gateway, "the gateway of the host's default route; --internet names another"};
}

std::string with(const Context& context) {
  const auto& port = context.options.internet_port;
  return context.options.internet && port ? fmt::format(", with: tcp/{}", *port) : std::string();
}

/// What several members of a segment share: how they leave, or why they do not.
struct Shared {
  enum class Kind : std::uint8_t { masqueraded, denied, unreachable };
  Kind kind;
  std::string by, dev;
  std::optional<IpAddress> as;
  std::vector<std::string> nodes;
};

class Plan {
 public:
  void add(const std::string& node, Shared::Kind kind, const std::string& by = {},
           const std::string& dev = {}, const std::optional<IpAddress>& as = {}) {
    auto same = std::ranges::find_if(all_, [&](const Shared& each) {
      return each.kind == kind && each.by == by && each.dev == dev && each.as == as;
    });
    if (same == all_.end()) same = all_.insert(same, {kind, by, dev, as, {}});
    same->nodes.push_back(node);
  }
  const std::vector<Shared>& all() const { return all_; }

 private:
  std::vector<Shared> all_;
};

/// The address that masquerading takes, which is no matter of the route's own source. IPv4: the first of the
/// interface in whose network the next hop is, else its first (inet_select_addr; link-local ones are
/// mostly of a scope that it passes over). IPv6: what the kernel would choose there.
std::optional<IpAddress> masqueraded_as(const Context& context, const std::string& dev,
                                        const std::optional<IpAddress>& via, const IpAddress& target) {
  if (!target.is_v4()) {
    const bool preferred = std::ranges::any_of(context.host.routes, [&](const network::Route& route) {
      return route.source && !route.automatic && route.dev == dev && route.to.family() == IpFamily::v6;
    });
    if (preferred) return std::nullopt;
    return context.facts.route(context.host.name, {target, {}, {}, 0, dev}).source;
  }
  const network::Interface* uplink = context.host.find_interface(dev);
  if (uplink == nullptr) return std::nullopt;
  const IpAddress next = via && via->is_v4() ? *via : target;
  std::optional<IpAddress> first;
  for (const InterfaceAddress& held : uplink->addresses) {
    if (!held.address.is_v4()) continue;
    if (held.network().contains(next)) return held.address;
    if (!first && !held.address.is_link_local()) first = held.address;
  }
  return first;
}

/// What goes from a member to the goal by an uplink, and the answer before NAT turns it back, as rules see
/// it.
struct Traffic {
  proof::firewall::RulePacket probe, back;
};
std::optional<std::uint16_t> port_of(const Context& context) {
  return context.options.internet ? context.options.internet_port : std::nullopt;
}
Traffic traffic(const Context& context, const Segment& segment, const IpAddress& from, const Goal& goal,
                const std::string& uplink) {
  Traffic all{ping_packet(from, goal.address, segment.dev, uplink),
              answer_packet(goal.address, from, uplink, segment.dev)};
  if (const auto port = port_of(context)) make_tcp(all.probe, all.back, *port);
  return all;
}

/// With which address it leaves.
void plan_source(const Context& context, const Segment& segment, const Member& member,
                 proof::firewall::RulePacket leaving, const Goal& goal, const ForwardRoute& route,
                 Plan& plan) {
  const std::string section = segment.title();
  leaving.iif.clear();  // not known at that hook
  const SourceNat nat = source_nat(context.facts, context.host.name, leaving);
  switch (nat.kind) {
    case SourceNat::Kind::masquerade:
      if (const auto as = masqueraded_as(context, route.dev, route.via, goal.address)) {
        plan.add(member.node, Shared::Kind::masqueraded, nat.by, route.dev, as);
      } else {
        context.remark(section, fmt::format("{} is masqueraded, but as which address of {} could not be told",
                                            member.node, printable(route.dev)));
      }
      break;
    case SourceNat::Kind::snat:
      context.promise(
          section, fmt::format("by {}", nat.by),
          fmt::format("egress: {{from: {}, to: {}, via: {}, as: {}{}}}", word(member.node),
                      word(goal.address.to_string()), word(route.dev), word(nat.to), with(context)));
      break;
    case SourceNat::Kind::none:
      context.remark(
          section, fmt::format("{} leaves with its own address, which nothing here translates", member.node));
      break;
    case SourceNat::Kind::unknown:
      context.remark(section, fmt::format("with which address {} leaves could not be told from {}",
                                          member.node, nat.by));
      break;
  }
}

void plan_one(const Context& context, const Segment& segment, const Member& member, const Goal& goal,
              Plan& plan) {
  const std::string section = segment.title();
  const proof::RouteAnswer own = context.facts.route(member.node, {goal.address, {}, {}, 0, {}});
  if (!own.found()) {
    if (own.error == ENETUNREACH && context.fresh("out", member.node, goal.address.to_string()))
      plan.add(member.node, Shared::Kind::unreachable);
    return;
  }
  // Of a container on two networks the one that its own route leads by.
  if (own.dev != member.interface || !context.fresh("out", member.node, goal.address.to_string())) return;
  const IpAddress from = own.source.value_or(*member.address(goal.address.family()));
  if (!forwards(context, segment.dev, from.family())) {
    context.remark(section, fmt::format("{} does not leave the host: forwarding is off on {}", member.node,
                                        printable(segment.dev)));
    return;
  }
  const ForwardRoute route = forward_route(context, from, goal.address, segment.dev, {});
  if (!route.answer.passes()) {
    context.remark(section, fmt::format("by which uplink {} leaves could not be told: it meets {}",
                                        member.node, route.answer.by));
    return;
  }
  if (route.dev == segment.dev) return;
  const Traffic sent = traffic(context, segment, from, goal, route.dev);
  RuleAnswer answer =
      own_way_out(context, member.node, member.interface, from, goal.address, port_of(context));
  const RuleAnswer there = forwarded(context, sent.probe);
  // What its own rules keep from leaving shows nothing of the host's.
  if (answer.passes() && there.stops()) {
    plan.add(member.node, Shared::Kind::denied, there.by);
    return;
  }
  answer.then(there);
  answer.then(forward_route(context, goal.address, from, route.dev, segment.dev).answer, "the answer meets ");
  answer.then(forwarded(context, sent.back), "the answer meets ");
  if (answer.passes()) return plan_source(context, segment, member, sent.probe, goal, route, plan);
  const char* words = answer.stops() ? "{} is not answered from there: {}"
                                     : "whether {} is answered from there could not be told from {}";
  context.remark(section, fmt::format(fmt::runtime(words), member.node, answer.by));
}

void tell(const Context& context, const Segment& segment, const Goal& goal, const Plan& plan) {
  const std::string section = segment.title();
  const std::string to = word(goal.address.to_string());
  const bool internal = segment.network != nullptr && segment.network->internal;
  for (const Shared& shared : plan.all()) {
    const std::string from = words(shared.nodes);
    switch (shared.kind) {
      case Shared::Kind::masqueraded:
        context.promise(
            section, fmt::format("{}; the target is {}", shared.by, goal.said),
            fmt::format("egress: {{from: {}, to: {}, via: {}{}{}}}", from, to, word(shared.dev),
                        shared.as ? ", as: " + word(shared.as->to_string()) : std::string(), with(context)));
        break;
      case Shared::Kind::denied:
        context.promise(section, fmt::format("{}{}", internal ? "an internal network: " : "", shared.by),
                        fmt::format("deny: {{from: {}, to: {}{}}}", from, to, with(context)));
        break;
      case Shared::Kind::unreachable:
        for (const std::string& node : shared.nodes) {
          context.promise(section, "it has no route there, so nothing is sent",
                          fmt::format("route: {{in: {}, to: {}, expect: {{error: network unreachable}}}}",
                                      word(node), to));
        }
        break;
    }
  }
}

}  // namespace

void promise_egress(const Context& context, const Segment& segment) {
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    const auto goal = goal_of(context, family);
    if (!goal) continue;
    Plan plan;
    for (const Member& member : segment.members) {
      if (member.address(family) != nullptr) plan_one(context, segment, member, *goal, plan);
    }
    tell(context, segment, *goal, plan);
  }
}

}  // namespace plumbline::engine::detail
