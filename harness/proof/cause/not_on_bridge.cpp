#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::string master_text(const Unplugged& missing) {
  return missing.instead.empty() ? std::string("none") : missing.instead;
}

Finding found(const Unplugged& missing, std::vector<std::string> evidence) {
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = missing.instead.empty()
                        ? fmt::format("{} is no port of {}.", place(missing.port), missing.bridge.interface)
                        : fmt::format("{} is a port of {}, not of {}.", place(missing.port), missing.instead,
                                      missing.bridge.interface);
  finding.evidence = std::move(evidence);
  finding.evidence.push_back(fmt::format("master of {}: {}", place(missing.port), master_text(missing)));
  finding.fix = {typed_on(missing.port.node, fmt::format("ip link set {} master {}", missing.port.interface,
                                                         missing.bridge.interface))};
  return finding;
}

/// It was taken in, but not by the bridge that has the sender's network: answers and rules are for that one.
std::optional<Finding> by_the_wrong_door(const Case& question, Facts& facts) {
  for (const Endpoint& sender : holders(facts, question.outcome.identity.source)) {
    if (sender.node != question.from) continue;
    const auto missing = off_its_bridge(facts, sender, question.family());
    if (!missing) continue;
    const Sighting* came = taken_in(question, facts, Leg::forward, missing->port.node);
    const bool by_it = came != nullptr &&
                       (came->interface == missing->port.interface || came->interface == missing->instead);
    if (!by_it) continue;
    return found(*missing, {fmt::format("{} > {} came in by {}", came->packet.ip->source.to_string(),
                                        came->packet.ip->destination.to_string(), place(*came)),
                            fmt::format("the network of {} is {}'s", came->packet.ip->source.to_string(),
                                        place(missing->bridge))});
  }
  return std::nullopt;
}

/// It was promised to be a port of another bridge, or of one at all.
std::optional<Finding> as_promised(const Case::Link& promised, Facts& facts) {
  const network::Interface* interface = interface_at(facts, {promised.node, promised.interface});
  if (interface == nullptr || !promised.master || promised.master->empty()) return std::nullopt;
  if (interface->master == *promised.master) return std::nullopt;
  return found(
      {{promised.node, promised.interface}, {promised.node, *promised.master}, interface->master, {}}, {});
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link) return as_promised(*question.link, facts);
  if (question.outcome.status == traffic::ProbeOutcome::Status::replied) return std::nullopt;
  const auto hop = broken_hop(question, facts);
  const auto missing = hop ? unplugged(facts, *hop) : std::nullopt;
  if (!missing) return by_the_wrong_door(question, facts);
  const std::string next = hop->next.to_string();
  return found(*missing,
               {fmt::format("{} > {}: {} asks for {} on {}", hop->source.to_string(),
                            hop->destination.to_string(), hop->node, next, hop->route.dev),
                neighbour_text(*hop),
                fmt::format("{} holds {}, but is not on that segment", place(missing->holder), next)});
}

}  // namespace

CauseKind not_on_bridge_cause() {
  return {
      "not-on-bridge",
      "The host's end of a container's cable is not a port of its bridge.",
      "A container on a bridge network has a veth whose other end must be a port of the bridge that holds "
      "the container's gateway address. An end that was never added, or was taken off (by a network manager "
      "that reconfigures what it does not know, by a restart of the bridge's owner, by `brctl delif`), is "
      "up and has a carrier, but its frames end there. Over IPv4 half of the way may even work, because the "
      "host answers ARP for its bridge's address on every interface; the answers then cannot go back.",
      "A node asks in vain for an address that an interface outside its segment holds, and the two segments "
      "meet in one node where the end of the cable is no port of the bridge. `bridge link` lists the ports, "
      "`ip -d link show VETH` shows a port's `master`.",
      "```\nip link set VETH master BRIDGE\n```\nIf it does not last, tell NetworkManager "
      "(`unmanaged-devices=interface-name:veth*`) or systemd-networkd (`Unmanaged=yes`) to leave the "
      "runtime's interfaces alone.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
