#include "harness/proof/diagnosis/port_behind_nat.hpp"

#include <variant>

#include "harness/proof/diagnosis/publishing.hpp"
#include "harness/proof/diagnosis/rule_words.hpp"

namespace plumbline::proof::firewall {
namespace {

std::optional<std::uint16_t> port_of(const traffic::Packet& packet) {
  if (const auto* udp = std::get_if<traffic::UdpHeader>(&packet.transport)) return udp->destination_port;
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&packet.transport)) return tcp->destination_port;
  return std::nullopt;
}

}  // namespace

std::optional<std::uint16_t> port_behind_nat(const Case& question, const std::string& node,
                                             const IpAddress& destination) {
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg != Leg::forward || !sighting.packet.ip) continue;
    if (sighting.packet.ip->destination != destination) continue;
    if (const auto port = port_of(sighting.packet)) return port;
  }
  for (const Translation& known : question.kernel.translations) {
    const bool led = known.node == node && known.destination_translated;
    if (led && known.reply.source == destination) return known.reply.source_port;
  }
  // What is stopped before it is through leaves no entry in conntrack, but the rule that it met.
  for (const Passage& passage : question.kernel.passages) {
    if (passage.node != node || passage.leg != Leg::forward || passage.bridge) continue;
    for (const RuleMet& rule : passage.rules) {
      if (!read_rule(rule.backend, rule.text).translates_destination()) continue;
      const Lead lead = lead_of(rule.text);
      if (lead.address != destination || lead.some_port) return std::nullopt;
      return lead.port ? lead.port : std::optional(question.port);
    }
  }
  return std::nullopt;
}

}  // namespace plumbline::proof::firewall
