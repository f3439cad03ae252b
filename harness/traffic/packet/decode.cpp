#include <fmt/format.h>

#include <algorithm>

#include "harness/traffic/packet/packet.hpp"
#include "harness/traffic/packet/reader.hpp"

namespace plumbline::traffic {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800, kArp = 0x0806, kVlan = 0x8100, kServiceVlan = 0x88A8, kIpv6 = 0x86DD;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;
constexpr std::uint8_t kNeighbourSolicitation = 135, kNeighbourAdvertisement = 136;
constexpr std::uint16_t kDns = 53;
/// How many IPv6 extension headers or VLAN tags are followed; real packets have two or three.
constexpr int kMostHeaders = 8;

enum class Nesting : std::uint8_t { whole, quoted };

MacAddress mac_at(const Reader& in, std::size_t offset) {
  MacAddress mac;
  std::ranges::copy(in.bytes(offset, 6), mac.bytes.begin());
  return mac;
}

void decode_network(Reader in, std::uint16_t ether_type, Nesting nesting, Packet& packet);

void set_payload(const Reader& in, std::size_t header, Packet& packet) {
  Reader rest = in;
  rest.skip(header);
  packet.payload_offset = rest.position();
  packet.payload_length = rest.left();
  packet.payload_total = in.claimed() > header ? in.claimed() - header : 0;
}

void decode_udp(const Reader& in, Nesting nesting, Packet& packet) {
  if (!in.has(8)) {
    packet.problem = fmt::format("UDP header cut to {} bytes", in.left());
    return;
  }
  Reader body = in;
  UdpHeader udp{in.u16(0), in.u16(2), in.u16(4)};
  if (udp.length < 8 && nesting == Nesting::whole) packet.problem = fmt::format("UDP length {}", udp.length);
  if (udp.length >= 8) body.limit(udp.length);
  packet.transport = udp;
  set_payload(body, 8, packet);
  if (udp.source_port == kDns || udp.destination_port == kDns) {
    packet.dns = decode_dns_question(body.bytes(8, body.left()));
  }
}

void decode_tcp(const Reader& in, Nesting nesting, Packet& packet) {
  // A quote may hold the first 8 bytes only (RFC 792): the ports and the sequence number are in them.
  if (!in.has(nesting == Nesting::quoted ? 8 : 20)) {
    packet.problem = fmt::format("TCP header cut to {} bytes", in.left());
    return;
  }
  TcpHeader tcp;
  tcp.source_port = in.u16(0);
  tcp.destination_port = in.u16(2);
  tcp.sequence = in.u32(4);
  tcp.acknowledgment = in.u32(8);
  const std::uint8_t flags = in.u8(13);
  tcp.fin = (flags & 0x01U) != 0;
  tcp.syn = (flags & 0x02U) != 0;
  tcp.rst = (flags & 0x04U) != 0;
  tcp.psh = (flags & 0x08U) != 0;
  tcp.ack = (flags & 0x10U) != 0;
  tcp.window = in.u16(14);
  packet.transport = tcp;
  if (!in.has(20)) {
    packet.problem = fmt::format("TCP header cut to {} bytes", in.left());
    return;
  }
  const std::size_t header = static_cast<std::size_t>(in.u8(12) >> 4U) * 4;
  if (header < 20) packet.problem = fmt::format("TCP header length {}", header);
  set_payload(in, std::max<std::size_t>(header, 20), packet);
}

void decode_icmp(const Reader& in, bool v6, Nesting nesting, Packet& packet) {
  if (!in.has(8)) {
    packet.problem = fmt::format("ICMP header cut to {} bytes", in.left());
    return;
  }
  IcmpHeader icmp;
  icmp.type = in.u8(0);
  icmp.code = in.u8(1);
  icmp.v6 = v6;
  icmp.rest = in.u32(4);
  if (icmp.is_echo_request() || icmp.is_echo_reply()) {
    icmp.echo_id = in.u16(4);
    icmp.echo_sequence = in.u16(6);
    set_payload(in, 8, packet);
  } else if (icmp.is_error() && nesting == Nesting::whole) {
    Reader inner = in;
    inner.skip(8);
    auto quoted = std::make_shared<Packet>();
    decode_network(inner, v6 ? kIpv6 : kIpv4, Nesting::quoted, *quoted);
    icmp.quoted = std::move(quoted);
  } else if (v6 && (icmp.type == kNeighbourSolicitation || icmp.type == kNeighbourAdvertisement)) {
    icmp.target = IpAddress::from_bytes(in.bytes(8, 16));
    if (!icmp.target) packet.problem = fmt::format("neighbour discovery cut to {} bytes", in.left());
  }
  packet.transport = std::move(icmp);
}

void decode_transport(const Reader& in, Nesting nesting, Packet& packet) {
  packet.transport_offset = in.position();
  if (packet.ip->fragment_offset != 0) return;
  switch (packet.ip->protocol) {
    case kUdp:
      return decode_udp(in, nesting, packet);
    case kTcp:
      return decode_tcp(in, nesting, packet);
    case kIcmp:
      return decode_icmp(in, false, nesting, packet);
    case kIcmpv6:
      return decode_icmp(in, true, nesting, packet);
    default:
      set_payload(in, 0, packet);
  }
}

void decode_ipv4(Reader in, Nesting nesting, Packet& packet) {
  const std::size_t header = static_cast<std::size_t>(in.u8(0) & 0x0FU) * 4;
  if (!in.has(20)) {
    packet.problem = fmt::format("IPv4 header cut to {} bytes", in.left());
    return;
  }
  if (in.u8(0) >> 4U != 4) {
    packet.problem = fmt::format("IP version {} in an IPv4 packet", in.u8(0) >> 4U);
    return;
  }
  if (header < 20) {
    packet.problem = fmt::format("IPv4 header length {}", header);
    return;
  }
  if (!in.has(header)) {
    packet.problem = fmt::format("IPv4 header cut to {} bytes", in.left());
    return;
  }
  IpHeader ip;
  ip.total_length = in.u16(2);
  ip.id = in.u16(4);
  const std::uint16_t fragment = in.u16(6);
  ip.dont_fragment = (fragment & 0x4000U) != 0;
  ip.more_fragments = (fragment & 0x2000U) != 0;
  ip.fragment_offset = static_cast<std::uint16_t>((fragment & 0x1FFFU) * 8U);
  ip.ttl = in.u8(8);
  ip.protocol = in.u8(9);
  ip.source = *IpAddress::from_bytes(in.bytes(12, 4));
  ip.destination = *IpAddress::from_bytes(in.bytes(16, 4));
  packet.ip = ip;
  // A total length of 0 is how a large offloaded frame says that its size does not fit (BIG TCP).
  if (ip.total_length != 0 && ip.total_length < header) {
    packet.problem = fmt::format("IPv4 total length {}", ip.total_length);
    return;
  }
  if (ip.total_length != 0) in.limit(ip.total_length);
  in.skip(header);
  decode_transport(in, nesting, packet);
}

/// Passes over extension headers (RFC 8200); false when they do not end within the packet.
bool skip_extensions(Reader& in, std::uint8_t& next, IpHeader& ip) {
  constexpr std::uint8_t hop_by_hop = 0, routing = 43, fragment = 44, destination = 60;
  for (int i = 0; i < kMostHeaders; ++i) {
    std::size_t length = 0;
    if (next == hop_by_hop || next == routing || next == destination) {
      if (!in.has(8)) return false;
      length = (static_cast<std::size_t>(in.u8(1)) + 1) * 8;
      if (next == routing) ip.segments_left = in.u8(3);
    } else if (next == fragment) {
      if (!in.has(8)) return false;
      ip.fragment_offset = static_cast<std::uint16_t>(in.u16(2) & 0xFFF8U);
      ip.more_fragments = (in.u16(2) & 1U) != 0;
      length = 8;
    } else {
      return true;
    }
    if (!in.has(length)) return false;
    next = in.u8(0);
    in.skip(length);
    if (ip.fragment_offset != 0) return true;
  }
  return false;
}

void decode_ipv6(Reader in, Nesting nesting, Packet& packet) {
  if (!in.has(40)) {
    packet.problem = fmt::format("IPv6 header cut to {} bytes", in.left());
    return;
  }
  if (in.u8(0) >> 4U != 6) {
    packet.problem = fmt::format("IP version {} in an IPv6 packet", in.u8(0) >> 4U);
    return;
  }
  IpHeader ip;
  const std::size_t payload = in.u16(4);
  ip.total_length = 40 + payload;
  ip.ttl = in.u8(7);
  ip.source = *IpAddress::from_bytes(in.bytes(8, 16));
  ip.destination = *IpAddress::from_bytes(in.bytes(24, 16));
  ip.dont_fragment = true;
  std::uint8_t next = in.u8(6);
  if (payload != 0) in.limit(ip.total_length);
  in.skip(40);
  const bool ended = skip_extensions(in, next, ip);
  ip.protocol = next;
  packet.ip = ip;
  if (!ended) {
    packet.problem = "IPv6 extension headers do not end within the packet";
    return;
  }
  decode_transport(in, nesting, packet);
}

void decode_arp(const Reader& in, Packet& packet) {
  constexpr std::uint32_t ethernet_ipv4 = 0x00010800;
  if (!in.has(28) || in.u32(0) != ethernet_ipv4 || in.u16(4) != 0x0604) {
    packet.problem = "ARP that is not for IPv4 over Ethernet, or cut short";
    return;
  }
  ArpHeader arp;
  arp.request = in.u16(6) == 1;
  arp.sender_mac = mac_at(in, 8);
  arp.sender = *IpAddress::from_bytes(in.bytes(14, 4));
  arp.target_mac = mac_at(in, 18);
  arp.target = *IpAddress::from_bytes(in.bytes(24, 4));
  packet.transport = arp;
}

void decode_network(Reader in, std::uint16_t ether_type, Nesting nesting, Packet& packet) {
  for (int i = 0; i < kMostHeaders && (ether_type == kVlan || ether_type == kServiceVlan); ++i) {
    if (!in.has(4)) {
      packet.problem = "VLAN tag cut short";
      return;
    }
    ether_type = in.u16(2);
    in.skip(4);
  }
  packet.ether_type = ether_type;
  switch (ether_type) {
    case kIpv4:
      return decode_ipv4(in, nesting, packet);
    case kIpv6:
      return decode_ipv6(in, nesting, packet);
    case kArp:
      return decode_arp(in, packet);
    default:
      set_payload(in, 0, packet);
  }
}

void decode_ethernet(Reader in, Packet& packet) {
  if (!in.has(14)) {
    packet.problem = fmt::format("Ethernet header cut to {} bytes", in.left());
    return;
  }
  packet.destination_mac = mac_at(in, 0);
  packet.source_mac = mac_at(in, 6);
  const std::uint16_t type = in.u16(12);
  in.skip(14);
  decode_network(in, type, Nesting::whole, packet);
}

/// To us, broadcast, multicast, to somebody else, sent by us: PACKET_HOST and so on of linux/if_packet.h.
Direction direction_of(std::uint8_t packet_type) {
  constexpr std::uint8_t multicast = 2, other_host = 3, outgoing = 4;
  if (packet_type <= multicast) return Direction::in;
  if (packet_type == other_host) return Direction::other_host;
  return packet_type == outgoing ? Direction::out : Direction::unknown;
}

/// https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html
void decode_sll2(Reader in, Packet& packet) {
  if (!in.has(20)) {
    packet.problem = fmt::format("SLL2 header cut to {} bytes", in.left());
    return;
  }
  const std::uint16_t protocol = in.u16(0);
  packet.interface_index = in.u32(4);
  packet.direction = direction_of(in.u8(10));
  if (in.u8(11) == 6) packet.source_mac = mac_at(in, 12);
  in.skip(20);
  decode_network(in, protocol, Nesting::whole, packet);
}

}  // namespace

bool IcmpHeader::is_error() const noexcept {
  if (v6) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

Packet decode(std::span<const std::uint8_t> frame, LinkType link_type) {
  Packet packet;
  const Reader in(frame);
  switch (link_type) {
    case LinkType::ethernet:
      decode_ethernet(in, packet);
      break;
    case LinkType::linux_sll2:
      decode_sll2(in, packet);
      break;
    case LinkType::raw_ip:
      if (frame.empty()) {
        packet.problem = "empty packet";
      } else {
        decode_network(in, in.u8(0) >> 4U == 6 ? kIpv6 : kIpv4, Nesting::whole, packet);
      }
      break;
  }
  return packet;
}

}  // namespace plumbline::traffic
