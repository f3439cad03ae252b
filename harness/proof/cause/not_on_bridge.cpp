#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  const auto missing = hop ? unplugged(facts, *hop) : std::nullopt;
  if (!missing) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = missing->instead.empty()
                        ? fmt::format("{} is no port of {}.", place(missing->port), missing->bridge.interface)
                        : fmt::format("{} is a port of {}, not of {}.", place(missing->port),
                                      missing->instead, missing->bridge.interface);
  finding.evidence = {
      fmt::format("{} > {}: {} asks for {} on {}", hop->source.to_string(), hop->destination.to_string(),
                  hop->node, hop->next.to_string(), hop->route.dev),
      neighbour_text(*hop),
      fmt::format("{} holds {}, but is not on that segment", place(missing->holder), hop->next.to_string()),
      fmt::format("master of {}: {}", place(missing->port),
                  missing->instead.empty() ? "none" : missing->instead)};
  finding.fix = {typed_on(missing->port.node, fmt::format("ip link set {} master {}", missing->port.interface,
                                                          missing->bridge.interface))};
  return finding;
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
      recognise};
}

}  // namespace plumbline::proof
