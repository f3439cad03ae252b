#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "harness/traffic/packet/packet.hpp"

namespace plumbline::proof {

/// What tells the packets of one leg apart and no NAT changes: of TCP there are several.
struct PacketIdentity {
  std::uint8_t protocol = 0;
  std::uint16_t ip_id = 0;  ///< IPv4 only
  std::size_t total_length = 0;
  std::uint32_t sequence = 0, acknowledgment = 0;  ///< TCP only
  bool syn = false, fin = false, rst = false, psh = false;
  bool payload = false;

  friend auto operator<=>(const PacketIdentity&, const PacketIdentity&) = default;
};

PacketIdentity identity_of(const traffic::Packet& packet);

/// Whether it is the same packet, or one that says the same once more: of TCP a retransmission, of others any
/// packet of the leg.
bool says_the_same(const PacketIdentity& a, const PacketIdentity& b);

}  // namespace plumbline::proof
