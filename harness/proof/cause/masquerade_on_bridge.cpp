#include <fmt/format.h>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// A packet between two of one bridge, under the host's address there.
struct Inside {
  std::string bridge;
  IpAddress source, destination;
  std::uint8_t protocol = 0;
};

std::optional<Inside> inside(const Case& question, const network::Node& host) {
  if (question.journey.sightings.empty()) return std::nullopt;
  const auto& packet = question.journey.sightings.front().packet;
  if (!packet.ip) return std::nullopt;
  for (const network::Interface& interface : host.interfaces) {
    if (interface.kind != network::LinkKind::bridge) continue;
    for (const InterfaceAddress& held : interface.addresses) {
      const bool within =
          held.address == packet.ip->source && held.network().contains(packet.ip->destination);
      if (within) return Inside{interface.name, held.address, packet.ip->destination, packet.ip->protocol};
    }
  }
  return std::nullopt;
}

struct Translated {
  IpAddress own;
  RulePlace rule;
};

/// A container of the bridge's network whose packets to the same target a rule would translate.
std::optional<Translated> translated(const Inside& packet, const network::Node& host, Facts& facts) {
  const network::Interface* bridge = host.find_interface(packet.bridge);
  for (const network::Node& node : facts.topology().nodes) {
    if (node.role != network::Role::container) continue;
    for (const network::Interface& interface : node.interfaces) {
      for (const InterfaceAddress& held : interface.addresses) {
        const bool neighbour = on_link(host, held.address) == bridge && held.address != packet.destination;
        if (!neighbour || held.address.family() != packet.source.family()) continue;
        RulePacket asked;
        asked.source = held.address;
        asked.destination = packet.destination;
        asked.oif = packet.bridge;
        asked.protocol = packet.protocol;
        asked.state = "new";
        for (const Chain* chain :
             base_chains(facts, host.name, Hook::postrouting, held.address.family(), "nat")) {
          const Decision decision = decide(facts.chains(host.name), *chain, asked);
          const bool nat = decision.verdict == RuleWords::Verdict::masquerade ||
                           decision.verdict == RuleWords::Verdict::snat;
          if (nat && decision.rule != nullptr) return Translated{held.address, place_of(host.name, decision)};
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::silent) return std::nullopt;
  const network::Node* known = facts.topology().host();
  const network::Node* host = known == nullptr ? nullptr : facts.node(known->name);
  const auto packet = host == nullptr ? std::nullopt : inside(question, *host);
  if (!packet) return std::nullopt;
  const auto rule = translated(*packet, *host, facts);
  if (!rule) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::likely;
  finding.summary = fmt::format("{} translates what stays on {}: neighbours see {} instead of who sent it.",
                                host->name, packet->bridge, packet->source.to_string());
  finding.evidence = {
      fmt::format("seen at {} as {} > {}", place(question.journey.sightings.front()),
                  packet->source.to_string(), packet->destination.to_string()),
      fmt::format("what {} sends there matches the {}", rule->own.to_string(), rule->rule.to_string())};
  Wanted stays;
  stays.oif = packet->bridge;
  finding.fix = {insert_command(facts, rule->rule, stays)};
  return finding;
}

}  // namespace

CauseKind masquerade_on_bridge_cause() {
  return {
      "masquerade-on-bridge",
      "Source NAT takes along what containers of one bridge send to each other.",
      "With br_netfilter, frames that a bridge passes from one port to another meet the chains of nat as "
      "well. A "
      "masquerade that names no uplink (`-s 192.168.99.0/24 -j MASQUERADE`, or all of postrouting) holds for "
      "them, too: everything works, but the neighbour sees the bridge's address instead of the container's. "
      "Access lists, logs and protocols that name their sender (databases, clusters, FTP) then go by the "
      "wrong "
      "one. Docker therefore writes `! -o docker0`.",
      "A packet between two of the bridge's network was seen with the host's address there as its source, "
      "where "
      "none was to be, and a rule of the nat chains translates what another container sends to that target. "
      "To "
      "look oneself: `conntrack -L -s 192.168.99.11`, `tcpdump -ni eth0` in the container.",
      "Name the uplink, or let pass what stays:\n```\n"
      "nft insert rule ip nat postrouting oifname bridge0 accept\n"
      "iptables -t nat -I POSTROUTING -o bridge0 -j ACCEPT\n```\n"
      "Where a published port must work from behind its own bridge (hairpin), keep that one rule ahead of "
      "it.",
      recognise};
}

}  // namespace plumbline::proof
