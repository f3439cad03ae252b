#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/publishing.hpp"
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

/// The rule of destination NAT that turned the probe to the address that nobody has. Absent: none did.
std::optional<firewall::RulePlace> stale_rule(const Case& question, const Hop& hop) {
  const bool meant = hop.destination == question.to || hop.next != hop.destination || hop.leg != Leg::forward;
  if (meant) return std::nullopt;
  return firewall::met_destination_nat(question, hop.node);
}

/// Where the port is to lead: the rule is made anew with the address that the server has on that link.
std::vector<std::string> lead_anew(const Case& question, Facts& facts, const Hop& hop,
                                   const firewall::RulePlace& rule) {
  // Without the rule the port would lead nowhere: it is no mend where nobody knows whose the port is.
  if (firewall::is_engines(rule.chain) || question.published_at.empty())
    return firewall::look_commands(rule, question.published_at);
  std::vector<std::string> commands{firewall::delete_command(facts, rule)};
  const network::Node* server = facts.node(question.published_at);
  const network::Node* node = facts.node(hop.node);
  if (server == nullptr || node == nullptr) return firewall::look_commands(rule, question.published_at);
  for (const InterfaceAddress& held : network::known_addresses(*server, hop.next.family())) {
    const network::Interface* near = on_link(*node, held.address);
    if (near == nullptr || near->name != hop.route.dev) continue;
    firewall::Lead lead = firewall::lead_of(rule.text);
    if (!lead.port && !lead.some_port) lead.port = question.port;
    lead.address = held.address;
    const auto packet =
        firewall::packet_of(question, Leg::forward, question.outcome.identity.source, question.to);
    for (std::string& command : firewall::lead_commands(facts, rule, lead, packet))
      commands.push_back(std::move(command));
    break;
  }
  // To delete it alone leaves the port leading nowhere.
  if (commands.size() == 1) return firewall::look_commands(rule, question.published_at);
  return commands;
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
  const auto turned = stale_rule(question, *hop);
  if (turned && elsewhere.empty()) {
    finding.evidence.push_back("led there by the " + turned->to_string());
    finding.fix = firewall::typed_on(turned->node, question, lead_anew(question, facts, *hop, *turned));
  } else if (hop->route.via && router) {
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
      "while its address is still in use somewhere, as in a published port's rule (`dnat to`), and a route "
      "that declares far machines to be on link "
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
