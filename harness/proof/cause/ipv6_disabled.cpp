#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

Finding off(Facts& facts, const Endpoint& at, Certainty certainty, std::string evidence) {
  Finding finding;
  finding.certainty = certainty;
  const std::string path = fmt::format("net/ipv6/conf/{}/disable_ipv6", at.interface);
  const auto link = facts.link(at.node, at.interface);
  if (link && link->mtu < 1280) {
    finding.summary =
        fmt::format("{} has no IPv6: its MTU of {} is below IPv6's least, 1280.", place(at), link->mtu);
    finding.fix = {typed_on(at.node, fmt::format("ip link set {} mtu 1500", at.interface))};
    finding.evidence = {fmt::format("mtu of {} is {}", place(at), link->mtu)};
  } else {
    finding.summary = fmt::format("IPv6 is switched off on {}.", place(at));
    finding.fix = {typed_on(at.node, fmt::format("sysctl -w {}=0", path))};
    finding.evidence = {fmt::format("{} of {} is 1", path, at.node)};
  }
  finding.evidence.push_back(std::move(evidence));
  finding.fix.push_back(typed_on(at.node, fmt::format("ip addr add ADDRESS/LENGTH dev {}", at.interface)));
  return finding;
}

std::optional<Finding> of_the_sender(Facts& facts, const Hop& hop) {
  const network::Node* node = facts.node(hop.node);
  if (node == nullptr) return std::nullopt;
  std::optional<Endpoint> without;
  bool any_with = false;
  bool was_way_out = false;  // by the router that its world names there
  for (const network::Interface& interface : node->interfaces) {
    const Endpoint at{hop.node, interface.name};
    const auto link = facts.link(at.node, at.interface);
    if (!link || link->loopback || !is_end(facts, at)) continue;
    if (!lacks_ipv6(facts, at)) {
      any_with = true;
      continue;
    }
    const bool way_out = std::ranges::count(interface.gateways, IpFamily::v6, &IpAddress::family) != 0;
    if (!without || (way_out && !was_way_out)) without = at;
    was_way_out = was_way_out || way_out;
  }
  if (!without) return std::nullopt;
  return off(facts, *without, any_with && !was_way_out ? Certainty::likely : Certainty::proven,
             fmt::format("{} has no route to {}", hop.node, hop.destination.to_string()));
}

std::optional<Finding> on_the_segment(Facts& facts, const Hop& hop) {
  if (!hop.unanswered() || !hop.holders.empty()) return std::nullopt;
  const auto way = hop.way();
  for (std::size_t i = 1; i < hop.segment.size(); ++i) {
    const Endpoint& at = hop.segment[i].end();
    if (!is_end(facts, at) || !lacks_ipv6(facts, at)) continue;
    const bool shared = std::ranges::count(way, at) != 0;
    return off(facts, at, shared ? Certainty::proven : Certainty::likely, neighbour_text(hop));
  }
  return std::nullopt;
}

/// A node goes another way because IPv6 is off on its interface to the target.
std::optional<Finding> led_astray(const Case& question, Facts& facts, const std::optional<Hop>& hop) {
  const IpAddress to = hop && hop->leg == Leg::reply ? hop->destination : question.to;
  for (const Endpoint& holder : holders(facts, to)) {
    for (const std::string& node : senders(question, facts, hop)) {
      if (node == holder.node || leads_to(facts, node, to, holder)) continue;
      for (const Way& way : segment(facts, holder)) {
        if (way.end().node != node || !is_end(facts, way.end()) || !lacks_ipv6(facts, way.end())) continue;
        return off(facts, way.end(), Certainty::proven,
                   fmt::format("{} does not send what is for {} to {}", node, to.to_string(), place(holder)));
      }
    }
  }
  return std::nullopt;
}

std::optional<Finding> tentative(const Case& question, Facts& facts, const std::optional<Hop>& hop) {
  std::vector<std::pair<Endpoint, IpAddress>> asked;
  if (const network::Node* from = facts.node(question.from)) {
    for (const network::Interface& interface : from->interfaces) {
      for (const IpAddress& each : interface.tentative) {
        if (!each.is_link_local()) asked.push_back({{question.from, interface.name}, each});
      }
    }
  }
  const bool unheard = hop && hop->route.found() && hop->unanswered();
  if (unheard) {
    for (const Way& holder : hop->holders) {
      if (is_tentative(facts, holder.end(), hop->next)) asked.push_back({holder.end(), hop->next});
    }
  }
  // With another than the link-local address it would get beyond its link.
  const Sighting* left = question.journey.left(question.from);
  const bool stranger = left != nullptr && left->packet.ip && left->packet.ip->source.is_link_local() &&
                        !question.to.is_link_local();
  const bool lost = hop && (!hop->route.found() || unheard);
  if (asked.empty() || (!lost && !stranger)) return std::nullopt;
  const auto& [at, address] = asked.front();
  Finding finding;
  finding.certainty = Certainty::likely;
  finding.summary = fmt::format("{} does not use its {} yet: duplicate address detection has not finished.",
                                place(at), address.to_string());
  finding.evidence = {fmt::format("{} at {} is tentative", address.to_string(), place(at))};
  finding.fix = {typed_on(at.node, fmt::format("sysctl -w net/ipv6/conf/{}/accept_dad=0", at.interface))};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.family() != IpFamily::v6 || question.to.is_loopback()) return std::nullopt;
  if (!question.wanted_through() && stopper(question.kernel)) return std::nullopt;
  const auto hop = broken_hop(question, facts);
  if (hop && !hop->route.found()) {
    if (auto finding = of_the_sender(facts, *hop)) return finding;
  } else if (hop) {
    if (auto finding = on_the_segment(facts, *hop)) return finding;
  }
  if (question.wanted_through()) {
    if (auto finding = led_astray(question, facts, hop)) return finding;
  }
  return tentative(question, facts, hop);
}

}  // namespace

CauseKind ipv6_disabled_cause() {
  return {
      "ipv6-disabled",
      "An interface has IPv6 switched off, or does not use its address yet.",
      "`disable_ipv6=1` takes all IPv6 addresses and routes of an interface away and keeps new ones off. "
      "Docker sets it in containers of networks without `--ipv6`, hardening guides set it in "
      "/etc/sysctl.d, and an MTU below 1280 has the same effect. An address that was just added is "
      "`tentative` for a second or two, while duplicate address detection asks whether somebody else has "
      "it, and cannot be used until then.",
      "The probe goes over IPv6; the sender has no route, or its next hop does not answer, or a router goes "
      "another way, and the kernel says of the interface in question that IPv6 is off. `sysctl "
      "net.ipv6.conf.DEV.disable_ipv6` and `ip -6 addr show dev DEV` show it.",
      "```\nsysctl -w net.ipv6.conf.DEV.disable_ipv6=0\n```\nthen add the addresses and routes again: they "
      "do "
      "not come back. With Docker give the network `--ipv6` and a subnet; take the setting out of "
      "/etc/sysctl.d. Where containers must send at once, `accept_dad=0` or `nodad` saves the wait.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
