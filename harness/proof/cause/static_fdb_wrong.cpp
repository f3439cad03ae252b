#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

/// Somebody on a bridge's segment, and the port by which he is plugged in.
struct Plugged {
  Endpoint end;
  Endpoint port;
};

std::optional<ForwardingFact> wrong_entry(Facts& facts, const Plugged& plugged, const std::string& bridge) {
  const auto mac = mac_of(facts, plugged.end);
  if (!mac) return std::nullopt;
  for (const ForwardingFact& each : facts.forwarding(plugged.port.node, bridge)) {
    if (each.mac == *mac && each.fixed && !each.own && each.port != plugged.port.interface) return each;
  }
  return std::nullopt;
}

Finding found(const Plugged& plugged, const std::string& bridge, const ForwardingFact& entry) {
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format(
      "A fixed entry of {}:{} leads {}, the address of {}, to {}; it is plugged into {}.", plugged.port.node,
      bridge, entry.mac.to_string(), place(plugged.end), entry.port, plugged.port.interface);
  finding.evidence = {fmt::format("forwarding table of {}:{}: {} dev {} static", plugged.port.node, bridge,
                                  entry.mac.to_string(), entry.port)};
  finding.fix = {typed_on(plugged.port.node,
                          fmt::format("bridge fdb del {} dev {} master", entry.mac.to_string(), entry.port))};
  return finding;
}

/// The two ends of a way, where their bridge is on it.
std::optional<Finding> on_the_way(Facts& facts, const std::vector<Endpoint>& way) {
  for (std::size_t i = 1; i < way.size(); ++i) {
    for (const bool forth : {true, false}) {
      const Endpoint& bridge = forth ? way[i - 1] : way[i];
      const Endpoint& port = forth ? way[i] : way[i - 1];
      const network::Interface* plugged = interface_at(facts, port);
      if (plugged == nullptr || port.node != bridge.node || plugged->master != bridge.interface) continue;
      const Plugged who{forth ? way.back() : way.front(), port};
      if (who.end == port) continue;
      if (const auto entry = wrong_entry(facts, who, bridge.interface))
        return found(who, bridge.interface, *entry);
    }
  }
  return std::nullopt;
}

/// The port by which `end` hangs on `bridge`.
std::optional<Endpoint> port_to(Facts& facts, const Endpoint& bridge, const Endpoint& end) {
  for (const Way& way : segment(facts, bridge)) {
    if (way.end() == end && way.over.size() > 2) return way.over[1];
  }
  return std::nullopt;
}

/// What shows at a port that it is not for; or an end of a ping that the bridge was told of wrongly.
std::optional<Finding> by_a_bridge(Facts& facts, const Endpoint& bridge, const IpAddress& address,
                                   std::string_view shown_at) {
  for (const Endpoint& holder : holders(facts, address)) {
    const auto port = port_to(facts, bridge, holder);
    const auto entry = port ? wrong_entry(facts, {holder, *port}, bridge.interface) : std::nullopt;
    if (entry && (shown_at.empty() || entry->port == shown_at))
      return found({holder, *port}, bridge.interface, *entry);
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise == Case::Promise::silent) {
    const network::Interface* port = interface_at(facts, {question.host, question.via});
    if (port == nullptr || port->master.empty()) return std::nullopt;
    return by_a_bridge(facts, {question.host, port->master}, question.to, question.via);
  }
  if (question.promise == Case::Promise::learned) {
    for (const IpAddress& each : {question.to, question.outcome.identity.source}) {
      if (auto finding = by_a_bridge(facts, {question.host, question.via}, each, {})) return finding;
    }
    return std::nullopt;
  }
  const auto hop = broken_hop(question, facts);
  if (!hop || hop->holders.empty() || fault(facts, hop->way())) return std::nullopt;
  auto finding = on_the_way(facts, hop->way());
  if (finding) finding->evidence.push_back(neighbour_text(*hop));
  return finding;
}

}  // namespace

CauseKind static_fdb_wrong_cause() {
  return {"static-fdb-wrong",
          "A bridge has a fixed entry that sends frames for a hardware address to the wrong port.",
          "A bridge learns behind which port a hardware address is, and forgets it. An entry that was set by "
          "hand is "
          "never corrected by what the bridge hears: when the container moves to another port, when its "
          "address is "
          "given to another, or when somebody wants to read along, its frames go to the wrong port, and "
          "there they "
          "are thrown away. Such entries come from overlays (VXLAN, flannel, EVPN), from SR-IOV and "
          "anti-spoofing "
          "set-ups, and from attacks.",
          "The forwarding table has a static entry for the hardware address of one end of the way, with "
          "another port "
          "than that by which this end is plugged in. `bridge fdb show br BRIDGE` lists them, with the word "
          "static.",
          "```\nbridge fdb del MAC dev PORT master\n```\nlets the bridge learn again; or `bridge fdb replace "
          "MAC dev "
          "PORT master static` with the right port.",
          recognise,
          CauseKind::Depth::link,
          {"link-down", "no-carrier", "not-on-bridge"}};
}

}  // namespace plumbline::proof
