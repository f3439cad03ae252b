#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

/// The source that was promised; absent: none was.
std::optional<IpAddress> promised(const Case& question) {
  if (question.route) return question.route->source;
  return question.promise == Case::Promise::egress ? question.as : std::nullopt;
}

/// The source that was used instead; absent: it was not seen.
std::optional<IpAddress> used(const Case& question, Facts& facts) {
  if (question.route) {
    RouteQuestion asked;
    asked.to = question.to;
    asked.oif = question.route->oif;
    return facts.route(question.from, asked).source;
  }
  for (const Sighting& each : question.journey.sightings) {
    const bool out = each.is(Leg::forward, question.host, traffic::Direction::out) && each.packet.ip;
    if (out && each.interface == question.via) return each.packet.ip->source;
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto wanted = promised(question);
  const auto instead = wanted ? used(question, facts) : std::nullopt;
  if (!instead || *instead == *wanted) return std::nullopt;
  for (const Endpoint& at : holders(facts, *wanted)) {
    const network::Interface* interface = interface_at(facts, at);
    const network::Node* node = facts.node(at.node);
    if (interface == nullptr || node == nullptr || std::ranges::count(interface->deprecated, *wanted) == 0)
      continue;
    if (!holds(*node, *instead)) continue;
    int length = wanted->bits();
    for (const InterfaceAddress& held : interface->addresses) {
      if (held.address == *wanted) length = held.prefix_length;
    }
    Finding finding;
    finding.certainty = Certainty::proven;
    finding.summary = fmt::format("{} of {} is deprecated, so that {} is the source instead.",
                                  wanted->to_string(), place(at), instead->to_string());
    finding.evidence = {fmt::format("{} has the flag deprecated", wanted->to_string()),
                        fmt::format("{} holds {} too, which is not", at.node, instead->to_string())};
    finding.fix = {
        typed_on(at.node, fmt::format("ip addr change {}/{} dev {} preferred_lft forever valid_lft forever",
                                      wanted->to_string(), length, at.interface))};
    return finding;
  }
  return std::nullopt;
}

}  // namespace

CauseKind address_deprecated_cause() {
  return {
      "address-deprecated",
      "An IPv6 address is deprecated, so that another is used as the source.",
      "An IPv6 address has two lifetimes. When the preferred one is over it is *deprecated*: it is still "
      "answered "
      "for, but new packets, masqueraded ones too, take another address of the interface where there is one. "
      "That "
      "is how a network is renumbered: the router announces the old prefix with a preferred lifetime of 0. "
      "Temporary addresses (RFC 8981) go the same way each day. Allow lists, DNS and whoever else knows the "
      "old "
      "address then see a stranger.",
      "The packet went with another source than promised, or the kernel's lookup names another; the node "
      "holds "
      "both, and the kernel says that the promised one is deprecated. `ip -6 addr show deprecated` lists "
      "them.",
      "```\nip addr change ADDRESS/64 dev ens4 preferred_lft forever valid_lft forever\n```\nwhere it is to "
      "stay; "
      "else let the others know the new one. A source of your own choice takes `snat to ADDRESS` instead of "
      "`masquerade`, or `src ADDRESS` in the route.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
