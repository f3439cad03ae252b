#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

struct Deaf {
  std::string summary, evidence, fix;
};

std::optional<Deaf> at_bridge(Facts& facts, const Endpoint& bridge) {
  const auto link = facts.link(bridge.node, bridge.interface);
  if (!link || !link->bridge || link->bridge->ageing != 0) return std::nullopt;
  return Deaf{fmt::format("{} learns nothing: its ageing time is 0", place(bridge)),
              fmt::format("ageing_time of {} is 0", place(bridge)),
              fmt::format("ip link set {} type bridge ageing_time 30000", bridge.interface)};
}

std::optional<Deaf> at_port(Facts& facts, const Endpoint& port) {
  const auto link = facts.link(port.node, port.interface);
  if (!link || !link->port || link->port->learning) return std::nullopt;
  return Deaf{fmt::format("{} learns nothing of whom it hears", place(port)),
              fmt::format("the port {} has learning off", place(port)),
              fmt::format("bridge link set dev {} learning on", port.interface)};
}

/// Why the bridge does not know where `address` is.
std::optional<Deaf> deaf_to(Facts& facts, const Endpoint& bridge, const IpAddress& address) {
  for (const Endpoint& holder : holders(facts, address)) {
    for (const Way& way : segment(facts, bridge)) {
      if (way.end() != holder || way.over.size() < 3) continue;
      const auto mac = mac_of(facts, holder);
      const auto known = facts.forwarding(bridge.node, bridge.interface);
      const bool knows = std::ranges::any_of(
          known, [&](const ForwardingFact& each) { return mac && each.mac == *mac && !each.own; });
      if (knows) continue;
      if (auto deaf = at_bridge(facts, bridge)) return deaf;
      if (auto deaf = at_port(facts, way.over[1])) return deaf;
    }
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  // A table need not know who was not answered.
  const bool answered = question.outcome.status == traffic::ProbeOutcome::Status::replied;
  if (question.promise == Case::Promise::learned && !answered) return std::nullopt;
  Endpoint bridge{question.host, question.via};
  std::vector<IpAddress> unknown{question.to};
  if (question.promise == Case::Promise::silent) {
    const network::Interface* port = interface_at(facts, bridge);
    if (port == nullptr || port->master.empty()) return std::nullopt;
    bridge.interface = port->master;
  } else if (question.promise == Case::Promise::learned) {
    unknown.push_back(question.outcome.identity.source);
  } else {
    return std::nullopt;
  }
  for (const IpAddress& address : unknown) {
    const auto deaf = deaf_to(facts, bridge, address);
    if (!deaf) continue;
    Finding finding;
    finding.certainty = Certainty::proven;
    finding.summary =
        fmt::format("{}, so that what is for {} goes out by every port.", deaf->summary, address.to_string());
    finding.evidence = {deaf->evidence,
                        fmt::format("{} has no entry for who holds {}", place(bridge), address.to_string())};
    finding.fix = {typed_on(bridge.node, deaf->fix)};
    return finding;
  }
  return std::nullopt;
}

}  // namespace

CauseKind bridge_not_learning_cause() {
  return {
      "bridge-not-learning",
      "A bridge does not remember who is behind which port, and sends everything everywhere.",
      "A bridge that hears a frame remembers its sender's hardware address and port, for `ageing_time` (300 "
      "s). "
      "Where a port does not learn, or the time is 0, it knows nobody, and what is for one goes out by every "
      "port: "
      "all containers can read along, and each port carries the sum of all traffic. Time 0 is set by some "
      "high-availability and traffic-mirroring set-ups (and was Open vSwitch's and Docker swarm's way with "
      "ingress bridges), `learning off` by those that fill the table themselves.",
      "After an answered ping the table lacks the address of one end, or a frame showed at a port that it "
      "was not "
      "for, and the kernel says that the port does not learn or that the bridge's ageing time is 0. `bridge "
      "-d link "
      "show dev PORT` and `ip -d link show BRIDGE` show both.",
      "```\nbridge link set dev PORT learning on\nip link set BRIDGE type bridge ageing_time 30000\n```\n"
      "Where the table is filled by hand on purpose, give it the entry that is missing, and the ports `flood "
      "off`.",
      recognise,
      CauseKind::Depth::link,
      {"link-down", "no-carrier", "not-on-bridge"}};
}

}  // namespace plumbline::proof
