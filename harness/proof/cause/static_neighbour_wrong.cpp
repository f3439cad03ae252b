#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using kernel::netlink::NeighbourState;

/// Whoever was asked has a fixed entry for who asks, so that the answer goes to somebody else.
std::optional<Finding> of_the_asked(Facts& facts, const Hop& hop) {
  if (!hop.unanswered() || fault(facts, hop.way())) return std::nullopt;
  const auto mac = mac_of(facts, hop.out());
  const Endpoint& holder = hop.holders.front().end();
  for (const NeighbourFact& known : facts.neighbours(holder.node)) {
    if (known.address != hop.source || known.state != NeighbourState::permanent || !known.mac) continue;
    if (!mac || *known.mac == *mac || known.dev != holder.interface) continue;
    Finding finding;
    finding.certainty = Certainty::proven;
    finding.summary = fmt::format(
        "{} has a fixed neighbour entry for {} with {}, so that its answers do not come to {}, which has {}.",
        holder.node, hop.source.to_string(), known.mac->to_string(), place(hop.out()), mac->to_string());
    finding.evidence = {neighbour_text(hop),
                        fmt::format("{}'s neighbour {} dev {} lladdr {}: permanent", holder.node,
                                    hop.source.to_string(), known.dev, known.mac->to_string())};
    finding.fix = {
        typed_on(holder.node, fmt::format("ip neigh del {} dev {}", hop.source.to_string(), known.dev))};
    return finding;
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || hop->holders.empty()) return std::nullopt;
  if (auto finding = of_the_asked(facts, *hop)) return finding;
  if (!hop->neighbour || !hop->neighbour->mac) return std::nullopt;
  const NeighbourFact& known = *hop->neighbour;
  if (known.state != NeighbourState::permanent || fault(facts, hop->way())) return std::nullopt;
  const auto owns = [&](const Way& way) { return mac_of(facts, way.end()) == known.mac; };
  const Endpoint& holder = hop->holders.front().end();
  const auto mac = mac_of(facts, holder);
  if (!mac || std::ranges::any_of(hop->holders, owns)) return std::nullopt;
  const auto owner = std::ranges::find_if(
      hop->segment, [&](const Way& way) { return is_end(facts, way.end()) && owns(way); });
  const std::string whose =
      owner == hop->segment.end() ? "nobody's on this link" : fmt::format("{}'s", place(owner->end()));
  const std::string next = hop->next.to_string();
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} has a fixed neighbour entry for {} with {}, which is {}; {} has {}.", hop->node, next,
                  known.mac->to_string(), whose, place(holder), mac->to_string());
  finding.evidence = {neighbour_text(*hop),
                      fmt::format("{} holds {} and has {}", place(holder), next, mac->to_string())};
  finding.fix = {typed_on(hop->node, fmt::format("ip neigh del {} dev {}", next, known.dev))};
  return finding;
}

}  // namespace

CauseKind static_neighbour_wrong_cause() {
  return {
      "static-neighbour-wrong",
      "A neighbour entry that was set by hand has somebody else's hardware address.",
      "An entry of the neighbour table that is `PERMANENT` never ages and is never asked for again. When the "
      "interface behind the address is made anew (a container that restarts, a replaced card) its hardware "
      "address changes, the entry stays, and every packet goes to a card that is no more. Such entries come "
      "from scripts, from anti-spoofing set-ups, and from overlays (flannel, Calico, Docker's overlay) that "
      "fill the table themselves.",
      "The node's entry for its next hop is permanent, and its hardware address is not that of the interface "
      "on the same segment that holds the address. `ip neigh show nud permanent` lists such entries.",
      "```\nip neigh del ADDRESS dev DEV\n```\nlets the kernel ask again; or `ip neigh replace ADDRESS "
      "lladdr "
      "MAC dev DEV` where it must be fixed. Give containers a fixed hardware address (`docker run "
      "--mac-address`) where entries about them are static.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
