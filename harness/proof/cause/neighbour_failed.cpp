#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {
namespace {

/// An interface that leads out of what we know: whoever is behind it may hold anything.
bool is_open(Facts& facts, const std::vector<Way>& segment) {
  return std::ranges::any_of(segment, [&](const Way& way) {
    const network::Node* node = facts.topology().find(way.end().node);
    const network::Interface* interface =
        node == nullptr ? nullptr : node->find_interface(way.end().interface);
    return interface == nullptr || (interface->kind != network::LinkKind::bridge && !interface->peer);
  });
}

/// Something else explains why nobody holds it, or why it is not heard.
bool explained(const Case& question, Facts& facts, const Hop& hop) {
  if (fault(facts, hop.way()) || unplugged(facts, hop) || wrong_network(question, facts, hop)) return true;
  if (!hop.next.is_v4()) {
    for (const Way& way : hop.segment) {
      if (lacks_ipv6(facts, way.end()) || fault(facts, way.over)) return true;
    }
  }
  return hop.next == hop.destination && !without_address(facts, hop.segment, hop.next.family()).empty();
}

std::string route_text(const network::Node* node, const Hop& hop) {
  if (node == nullptr) return hop.destination.to_string();
  const network::Route* best = nullptr;
  for (const network::Route& route : node->routes) {
    const bool meant = route.via == hop.route.via && route.to.contains(hop.destination);
    if (meant && (best == nullptr || best->to.length() < route.to.length())) best = &route;
  }
  if (best == nullptr) return hop.destination.to_string();
  std::string text = best->to.length() == 0 ? std::string("default") : best->to.to_string();
  if (best->table != network::kMainTable) text += fmt::format(" table {}", best->table);
  return text;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || !hop->unanswered() || !hop->holders.empty() || explained(question, facts, *hop)) {
    return std::nullopt;
  }
  const std::string next = hop->next.to_string();
  const auto elsewhere = holders(facts, hop->next);
  Finding finding;
  finding.certainty = is_open(facts, hop->segment) ? Certainty::likely : Certainty::proven;
  const std::string what = hop->route.via ? fmt::format("the router {}", next) : next;
  finding.summary = elsewhere.empty()
                        ? fmt::format("{} asks {}'s segment for {}, and nobody has that address.", hop->node,
                                      hop->route.dev, what)
                        : fmt::format("{} asks {}'s segment for {}, which is elsewhere: at {}.", hop->node,
                                      hop->route.dev, what, place(elsewhere.front()));
  finding.evidence = {neighbour_text(*hop),
                      fmt::format("{} sends {} by {}{}", hop->node, hop->destination.to_string(),
                                  hop->route.dev, hop->route.via ? " via " + next : " as on link"),
                      elsewhere.empty() ? fmt::format("no interface of any node holds {}", next)
                                        : fmt::format("{} holds {}", place(elsewhere.front()), next)};
  for (std::string& line : questions_seen(question, *hop)) finding.evidence.push_back(std::move(line));
  const auto router = router_near(facts, hop->out(), hop->next.family());
  if (hop->route.via && router) {
    finding.fix = {typed_on(
        hop->node, fmt::format("ip route replace {} via {} dev {}", route_text(facts.node(hop->node), *hop),
                               router->to_string(), hop->route.dev))};
  } else {
    finding.fix = {typed_on(hop->node, fmt::format("ip route get {}", hop->destination.to_string())),
                   typed_on(hop->node, fmt::format("ip neigh show dev {}", hop->route.dev))};
  }
  return finding;
}

}  // namespace

CauseKind neighbour_failed_cause() {
  return {
      "neighbour-failed",
      "Nobody on the link has the next hop's address.",
      "Before a packet leaves by an Ethernet the kernel asks the link for the hardware address of the next "
      "hop: of the router, or of the target itself where the route says that it is on link. Where nobody "
      "holds that address there is nobody to answer; the packet waits, and after three questions the sender "
      "hears `No route to host`. A gateway that was typed wrongly or has moved, a container that is gone "
      "while its address is still in use somewhere, and a route that declares far machines to be on link "
      "all end so.",
      "The node's neighbour entry for the next hop is `INCOMPLETE` or `FAILED`, and no interface of its "
      "segment holds the address. `ip neigh` and `ip route get TARGET` show both.",
      "```\nip route replace default via ROUTER dev DEV\n```\nwith a router that is on that link; or start "
      "whoever should hold the address. Correct the gateway where it comes from: the network's "
      "configuration, DHCP, /etc/netplan.",
      recognise,
      CauseKind::Depth::link,
      reasons::any_of({reasons::links(),
                       reasons::frames(),
                       reasons::steering(),
                       reasons::translation(),
                       {"wrong-gateway", "proxy-arp-off"}})};
}

}  // namespace plumbline::proof
