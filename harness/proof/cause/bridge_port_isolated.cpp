#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

bool isolated(Facts& facts, const Endpoint& at) {
  const auto link = facts.link(at.node, at.interface);
  return link && link->port && link->port->isolated;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || hop->holders.empty()) return std::nullopt;
  const auto way = hop->way();
  if (fault(facts, way)) return std::nullopt;
  for (std::size_t i = 2; i < way.size(); ++i) {
    const Endpoint& in = way[i - 2];
    const Endpoint& bridge = way[i - 1];
    const Endpoint& out = way[i];
    const bool ports = in.node == bridge.node && out.node == bridge.node;
    if (!ports || !isolated(facts, in) || !isolated(facts, out)) continue;
    Finding finding;
    finding.certainty = Certainty::proven;
    finding.summary = fmt::format("{} keeps {} and {} apart: both are isolated ports.", place(bridge),
                                  in.interface, out.interface);
    finding.evidence = {fmt::format("{} > {} is to go by {}", hop->source.to_string(),
                                    hop->destination.to_string(), way_text(way)),
                        fmt::format("{} and {} have the flag isolated", place(in), place(out)),
                        neighbour_text(*hop)};
    finding.fix = {typed_on(bridge.node, fmt::format("bridge link set dev {} isolated off", out.interface))};
    finding.opens = {bridge.node, false};
    return finding;
  }
  return std::nullopt;
}

}  // namespace

CauseKind bridge_port_isolated_cause() {
  return {
      "bridge-port-isolated",
      "A bridge keeps two of its ports apart.",
      "A bridge passes no frame, ARP and broadcasts included, between two ports that are both `isolated`; "
      "with ports that are not, either may talk. Hypervisors and hosting panels isolate their guests' ports "
      "so, Docker does with the bridge option `com.docker.network.bridge.enable_icc=false` by rules instead, "
      "and CNI's bridge plug-in with `portIsolation`.",
      "The way from the sender to its next hop enters a bridge by one port and leaves it by another, and "
      "the kernel says of both that they are isolated. `bridge -d link show dev PORT` shows it.",
      "```\nbridge link set dev PORT isolated off\n```\nfor one of the two ports, or let the containers meet "
      "on a network of their own. Where a runtime set the flag, change its network's configuration, or it "
      "comes back with the next container.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
