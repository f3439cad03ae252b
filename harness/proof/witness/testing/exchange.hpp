#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/proof/journey/journey.hpp"
#include "harness/proof/witness/kernel_path.hpp"

/// Journeys and kernel paths for tests, as one would tell them: packets, and where they were seen.
namespace plumbline::proof::testing {

using traffic::Direction;

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

inline traffic::Packet udp(std::string_view from, std::string_view to, std::uint8_t ttl = 64,
                           std::uint16_t id = 7) {
  traffic::Packet packet;
  packet.ip = traffic::IpHeader{ip(from), ip(to), ttl, 17, id};
  packet.ip->total_length = 50;
  packet.transport = traffic::UdpHeader{40001, 53, 30};
  return packet;
}

inline traffic::Packet reversed(traffic::Packet packet, std::uint16_t id = 9) {
  std::swap(packet.ip->source, packet.ip->destination);
  packet.ip->id = id;
  if (auto* udp = std::get_if<traffic::UdpHeader>(&packet.transport)) {
    std::swap(udp->source_port, udp->destination_port);
  }
  if (auto* tcp = std::get_if<traffic::TcpHeader>(&packet.transport)) {
    std::swap(tcp->source_port, tcp->destination_port);
  }
  return packet;
}

inline traffic::Packet tcp(std::string_view from, std::string_view to, traffic::TcpHeader header,
                           std::uint16_t id, std::size_t bytes = 0) {
  traffic::Packet packet;
  packet.ip = traffic::IpHeader{ip(from), ip(to), 64, 6, id};
  packet.ip->total_length = 40 + bytes;
  header.source_port = 40001;
  header.destination_port = 80;
  packet.transport = header;
  packet.payload_total = bytes;
  return packet;
}

inline traffic::TcpHeader syn(std::uint32_t sequence) {
  traffic::TcpHeader header;
  header.sequence = sequence;
  header.syn = true;
  return header;
}

inline traffic::TcpHeader ack(std::uint32_t sequence, std::uint32_t acknowledgment) {
  traffic::TcpHeader header;
  header.sequence = sequence;
  header.acknowledgment = acknowledgment;
  header.ack = true;
  return header;
}

/// An ICMP error of that type 3 code, from `from` to the quoted packet's source.
inline traffic::Packet unreachable(std::string_view from, const traffic::Packet& quoted, std::uint8_t code) {
  traffic::Packet packet;
  packet.ip = traffic::IpHeader{ip(from), quoted.ip->source, 64, 1};
  traffic::IcmpHeader icmp;
  icmp.type = 3;
  icmp.code = code;
  icmp.quoted = std::make_shared<const traffic::Packet>(quoted);
  packet.transport = icmp;
  return packet;
}

/// Tells what was seen, 10 us apart.
class Exchange {
 public:
  Exchange& seen(Leg leg, const std::string& node, const std::string& interface, Direction direction,
                 traffic::Packet packet) {
    Sighting sighting;
    sighting.time_ns = 1'000'000 + journey.sightings.size() * 10'000;
    sighting.node = node;
    sighting.interface = interface;
    sighting.leg = leg;
    packet.direction = direction;
    sighting.packet = std::move(packet);
    journey.sightings.push_back(std::move(sighting));
    return *this;
  }
  Exchange& out(const std::string& node, const std::string& interface, const traffic::Packet& packet,
                Leg leg = Leg::forward) {
    return seen(leg, node, interface, Direction::out, packet);
  }
  Exchange& in(const std::string& node, const std::string& interface, const traffic::Packet& packet,
               Leg leg = Leg::forward) {
    return seen(leg, node, interface, Direction::in, packet);
  }

  /// `iif` and `oif` as at that hook; a rule of that verdict with handle 7, or none.
  Exchange& hook(const std::string& node, Hook hook, const std::string& iif, const std::string& oif,
                 const traffic::Packet& packet, const std::string& verdict = "", Leg leg = Leg::forward) {
    Passage passage;
    passage.node = node;
    passage.hook = hook;
    passage.leg = leg;
    passage.iif = iif;
    passage.oif = oif;
    passage.source = packet.ip->source;
    passage.destination = packet.ip->destination;
    passage.packet = traffic::to_text(packet);
    passage.identity = identity_of(packet);
    passage.verdict = verdict.empty() ? "accept" : verdict;
    if (!verdict.empty()) {
      RuleMet rule;
      rule.family = "ip";
      rule.table = "filter";
      rule.chain = "CHAIN";
      rule.number = 7;
      rule.text = "counter " + verdict;
      rule.verdict = verdict;
      passage.rules.push_back(rule);
    }
    path.passages.push_back(std::move(passage));
    return *this;
  }

  /// After what was seen until now.
  Exchange& drop(const std::string& node, const std::string& reason, const std::string& function,
                 Leg leg = Leg::forward) {
    Drop drop;
    drop.node = node;
    drop.leg = leg;
    drop.reason = reason;
    drop.function = function;
    drop.time_ns = 1'000'000 + journey.sightings.size() * 10'000 - 5'000;
    path.drops.push_back(std::move(drop));
    return *this;
  }

  Journey journey;
  KernelPath path;
};

}  // namespace plumbline::proof::testing
