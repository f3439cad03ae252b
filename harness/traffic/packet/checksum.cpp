#include <utility>

#include "harness/traffic/packet/packet.hpp"

namespace plumbline::traffic {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;

/// RFC 1071. An odd number of bytes is as if a zero followed.
std::uint32_t sum_of(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i]) << 8U | bytes[i + 1];
    sum = (sum & 0xFFFFU) + (sum >> 16U);
  }
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back()) << 8U;
  return sum;
}

std::uint16_t folded(std::uint32_t sum) {
  sum = (sum & 0xFFFFU) + (sum >> 16U);
  sum = (sum & 0xFFFFU) + (sum >> 16U);
  // Both mean nothing in ones' complement, and NAT's adjustments give now this, now that.
  return sum == 0xFFFFU ? std::uint16_t{0} : static_cast<std::uint16_t>(sum);
}

std::uint32_t pseudo_header(const IpHeader& ip, std::size_t length) {
  std::uint32_t sum = sum_of(ip.source.bytes());
  sum = sum_of(ip.destination.bytes(), sum);
  return sum + ip.protocol + static_cast<std::uint32_t>(length >> 16U) +
         static_cast<std::uint32_t>(length & 0xFFFFU);
}

/// The transport's header and payload: absent where not all of it was captured.
std::optional<std::span<const std::uint8_t>> whole_transport(const Packet& packet,
                                                             std::span<const std::uint8_t> frame) {
  const IpHeader& ip = *packet.ip;
  if (ip.more_fragments || ip.fragment_offset != 0 || ip.segments_left != 0) return std::nullopt;
  // No length in the header (BIG TCP): what there is may be cut.
  if (ip.total_length == 0 || (!ip.source.is_v4() && ip.total_length == 40)) return std::nullopt;
  if (packet.payload_offset < packet.transport_offset || packet.payload_offset > frame.size()) {
    return std::nullopt;
  }
  const std::size_t header = packet.payload_offset - packet.transport_offset;
  if (packet.payload_total != packet.payload_length || header < 8) return std::nullopt;
  if (packet.payload_length > frame.size() - packet.payload_offset) return std::nullopt;
  // Options that were cut off leave no trace in the payload's lengths.
  const bool tcp = std::holds_alternative<TcpHeader>(packet.transport);
  if (tcp &&
      (header < 20 || header != static_cast<std::size_t>(frame[packet.transport_offset + 12] >> 4U) * 4)) {
    return std::nullopt;
  }
  return frame.subspan(packet.transport_offset, header + packet.payload_length);
}

/// Where the field lies in the transport's header, and whether a pseudo-header counts.
struct Field {
  std::size_t offset = 0;
  bool pseudo = true;
  bool device = true;  ///< may be left to a device
};

std::optional<Field> field_of(const Packet& packet) {
  if (std::holds_alternative<UdpHeader>(packet.transport)) return Field{6, true, true};
  if (std::holds_alternative<TcpHeader>(packet.transport)) return Field{16, true, true};
  const auto* icmp = std::get_if<IcmpHeader>(&packet.transport);
  if (icmp == nullptr || (!icmp->is_echo_request() && !icmp->is_echo_reply())) return std::nullopt;
  return Field{2, icmp->v6, icmp->v6};
}

bool is_known(std::uint8_t protocol) {
  return protocol == kIcmp || protocol == kTcp || protocol == kUdp || protocol == kIcmpv6;
}

}  // namespace

Checksum checksum_of(const Packet& packet, std::span<const std::uint8_t> frame) {
  if (!packet.ip || !packet.problem.empty() || !is_known(packet.ip->protocol)) return Checksum::unknown;
  const auto field = field_of(packet);
  const auto bytes = field ? whole_transport(packet, frame) : std::nullopt;
  if (!bytes || bytes->size() < field->offset + 2) return Checksum::unknown;
  const auto held = static_cast<std::uint16_t>((*bytes)[field->offset] << 8U | (*bytes)[field->offset + 1]);
  const bool udp = packet.ip->protocol == kUdp;
  // UDP over IPv4 may go without one (RFC 768).
  if (udp && held == 0 && packet.ip->source.is_v4()) return Checksum::good;
  const std::uint32_t pseudo = field->pseudo ? pseudo_header(*packet.ip, bytes->size()) : 0;
  if (folded(sum_of(*bytes, pseudo)) == 0) return Checksum::good;
  return field->device && folded(held) == folded(pseudo) ? Checksum::partial : Checksum::bad;
}

}  // namespace plumbline::traffic
