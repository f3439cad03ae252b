#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

constexpr std::array<std::string_view, 5> kStates{"disabled", "listening", "learning", "forwarding",
                                                  "blocking"};
constexpr std::uint8_t kForwarding = 3;

std::string master_of(Facts& facts, const Endpoint& port) {
  const network::Interface* interface = interface_at(facts, port);
  return interface == nullptr ? std::string() : interface->master;
}

/// The port passes nothing, whoever sent it.
std::optional<Finding> by_its_state(Facts& facts, const Endpoint& port, const kernel::netlink::Link& link) {
  if (link.port_state.value_or(kForwarding) == kForwarding || *link.port_state >= kStates.size())
    return std::nullopt;
  const std::string bridge = master_of(facts, port);
  const auto above = facts.link(port.node, bridge);
  const bool tree = above && above->bridge && above->bridge->spanning_tree;
  const std::string_view state = kStates.at(*link.port_state);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} is {}, so that {} passes nothing by it{}.", place(port), state, bridge,
                                tree ? ": the bridge runs the spanning tree protocol" : "");
  finding.evidence = {fmt::format("state of the port {}: {}", place(port), state)};
  if (tree) finding.evidence.push_back(fmt::format("stp_state of {}:{} is 1", port.node, bridge));
  finding.fix = {
      typed_on(port.node, tree ? fmt::format("ip link set {} type bridge stp_state 0", bridge)
                               : fmt::format("ip link set {} type bridge_slave state 3", port.interface))};
  return finding;
}

/// It lets in only those whose address the bridge was told for it.
std::optional<Finding> by_its_lock(Facts& facts, const Endpoint& port, const Endpoint& behind,
                                   const kernel::netlink::Link& link) {
  const auto mac = mac_of(facts, behind);
  if (!link.port || !link.port->locked || !mac) return std::nullopt;
  const auto known = facts.forwarding(port.node, master_of(facts, port));
  const bool told = std::ranges::any_of(known, [&](const ForwardingFact& each) {
    return each.mac == *mac && each.port == port.interface && !each.own;
  });
  if (told) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} is locked, and lets {} of {} in no more than anybody else it was not told of.",
                  place(port), mac->to_string(), place(behind));
  finding.evidence = {
      fmt::format("the port {} has the flag locked", place(port)),
      fmt::format("{} has no entry for {} at {}", master_of(facts, port), mac->to_string(), port.interface)};
  finding.fix = {typed_on(port.node, fmt::format("bridge link set dev {} locked off", port.interface))};
  finding.opens = {port.node, false};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || hop->holders.empty()) return std::nullopt;
  const auto way = hop->way();
  if (fault(facts, way)) return std::nullopt;
  for (std::size_t i = 0; i < way.size(); ++i) {
    const auto link = facts.link(way[i].node, way[i].interface);
    if (!link || !link->port_state) continue;
    std::optional<Finding> finding = by_its_state(facts, way[i], *link);
    const bool from_it = i == 1;
    const bool to_it = i + 2 == way.size();
    if (!finding && from_it) finding = by_its_lock(facts, way[i], way.front(), *link);
    if (!finding && to_it) finding = by_its_lock(facts, way[i], way.back(), *link);
    if (!finding) continue;
    finding->evidence.insert(finding->evidence.begin(),
                             fmt::format("{} > {} is to go by {}", hop->source.to_string(),
                                         hop->destination.to_string(), way_text(way)));
    finding->evidence.push_back(neighbour_text(*hop));
    return finding;
  }
  return std::nullopt;
}

}  // namespace

CauseKind bridge_port_blocked_cause() {
  return {"bridge-port-blocked",
          "A bridge does not forward by one of its ports.",
          "A port of a bridge has a state, and passes frames only while it is `forwarding`. Where the bridge "
          "runs the "
          "spanning tree protocol, each new port first listens and learns, 15 s each by default, so that a "
          "container's "
          "first requests are lost (libvirt and OpenStack switch it on; Docker does not), and a port that "
          "would close a "
          "loop stays `blocking`. A daemon such as mstpd sets states itself, and leaves them behind. A "
          "`locked` port "
          "(802.1X, anti-spoofing) lets in only those hardware addresses that the bridge was told of.",
          "The way from a node to its next hop goes by the port, its link is up, and the kernel says that "
          "its state is "
          "another than forwarding, or that it is locked and the bridge has no entry for who is behind it. "
          "`bridge -d "
          "link show dev PORT` shows both.",
          "```\nip link set BRIDGE type bridge stp_state 0\nip link set PORT type bridge_slave state 3\n"
          "bridge link set dev PORT locked off\n```\n"
          "Where the spanning tree is needed, `ip link set BRIDGE type bridge forward_delay 200` (in 1/100 "
          "s) shortens "
          "the wait, and a locked port needs its entries: `bridge fdb replace MAC dev PORT master static`.",
          recognise,
          CauseKind::Depth::link,
          {"link-down", "no-carrier", "not-on-bridge", "bridge-port-isolated"}};
}

}  // namespace plumbline::proof
