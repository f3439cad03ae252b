#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {
namespace {

constexpr int whole(IpFamily family) {
  return family == IpFamily::v4 ? 32 : 128;
}

/// The setting by which a node answers for others, by interface.
std::string setting(IpFamily family, const std::string& interface) {
  return family == IpFamily::v4 ? fmt::format("net.ipv4.conf.{}.proxy_arp", interface)
                                : fmt::format("net.ipv6.conf.{}.proxy_ndp", interface);
}
std::string path(std::string name) {
  std::ranges::replace(name, '.', '/');
  return name;
}

bool is_on(Facts& facts, const Endpoint& at, IpFamily family) {
  return facts.sysctl(at.node, path(setting(family, "all"))) == "1" ||
         facts.sysctl(at.node, path(setting(family, at.interface))) == "1";
}

/// The node sends what is for `address` straight to it by another interface: it is alone there, by a route of
/// its own.
bool has_it_alone(Facts& facts, const Endpoint& at, const IpAddress& address) {
  const network::Node* node = facts.node(at.node);
  return node != nullptr && std::ranges::any_of(node->routes, [&](const network::Route& route) {
           return route.to.contains(address) && route.to.length() == whole(address.family()) && !route.via &&
                  route.dev != at.interface;
         });
}

/// Who holds `address` takes the asker for one of its own network.
bool same_network(Facts& facts, const IpAddress& address, const IpAddress& asker) {
  for (const Endpoint& holder : holders(facts, address)) {
    const network::Interface* interface = interface_at(facts, holder);
    if (interface == nullptr) continue;
    for (const InterfaceAddress& held : interface->addresses) {
      if (held.address == address && held.network().contains(asker)) return true;
    }
  }
  return false;
}

/// On the asker's segment, with the address behind it, and silent for want of the setting.
std::optional<Endpoint> silent_proxy(Facts& facts, const Hop& hop) {
  const IpFamily family = hop.next.family();
  for (const Way& way : hop.segment) {
    const Endpoint& at = way.end();
    if (at.node == hop.node || !is_end(facts, at)) continue;
    const std::string forwarding = family == IpFamily::v4
                                       ? fmt::format("net/ipv4/conf/{}/forwarding", at.interface)
                                       : std::string("net/ipv6/conf/all/forwarding");
    if (facts.sysctl(at.node, forwarding) != "1" || is_on(facts, at, family)) continue;
    const RouteAnswer onward = facts.route(at.node, {hop.next, {}, {}, 0});
    if (!onward.found() || onward.via || onward.dev.empty() || onward.dev == at.interface) continue;
    if (onward.type != kernel::netlink::LookupType::unicast) continue;
    if (has_it_alone(facts, at, hop.next) || same_network(facts, hop.next, hop.source)) return at;
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || !hop->unanswered() || !hop->holders.empty() || holders(facts, hop->next).empty())
    return std::nullopt;
  const auto at = silent_proxy(facts, *hop);
  if (!at) return std::nullopt;
  const std::string name = setting(hop->next.family(), at->interface);
  const std::string next = hop->next.to_string();
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} has {} behind another interface, and does not answer for it on {}.",
                                at->node, next, at->interface);
  finding.evidence = {neighbour_text(*hop),
                      fmt::format("{} sends what is for {} by {}", at->node, next,
                                  facts.route(at->node, {hop->next, {}, {}, 0}).dev),
                      fmt::format("{} of {} is 0", name, at->node)};
  finding.fix = {typed_on(at->node, fmt::format("sysctl -w {}=1", name))};
  if (!hop->next.is_v4())
    finding.fix.push_back(
        typed_on(at->node, fmt::format("ip neigh replace proxy {} dev {}", next, at->interface)));
  return finding;
}

}  // namespace

CauseKind proxy_arp_off_cause() {
  return {
      "proxy-arp-off",
      "A router has the address behind it, where the asker looks for it on the link, and does not answer for "
      "it.",
      "Containers can hold addresses of the host's own LAN without a bridge: the host has a route for each, "
      "and "
      "answers ARP for them on the LAN (`proxy_arp`), as Calico, ppp, parprouted and many hosters' set-ups "
      "do. "
      "IPv6 needs `proxy_ndp` and an entry for each address (`ip neigh add proxy`). The setting belongs to "
      "the "
      "interface on which is asked; it is lost with a new interface, or with a file in /etc/sysctl.d that "
      "puts "
      "it to 0. Then the host reaches its containers, and nobody else does.",
      "A node asks its link in vain for an address that is held elsewhere; a router on that link sends what "
      "is "
      "for it by another of its interfaces, straight to it (a route for that one address, or one network on "
      "both sides), and neither `all` nor the interface has the setting.",
      "```\nsysctl -w net.ipv4.conf.ens4.proxy_arp=1\nsysctl -w net.ipv6.conf.ens4.proxy_ndp=1\n"
      "ip neigh add proxy 2001:db8:16::21 dev ens4\n```\nOr give those who ask a route: "
      "`ip route add 192.168.16.21 via 192.168.16.10`.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering()})};
}

}  // namespace plumbline::proof
