#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/ip.hpp"

/// Bytes to typed headers to text. Pure: no socket, no libpcap, and no throw for any input.
namespace plumbline::traffic {

/// The link types that taps deliver (https://www.tcpdump.org/linktypes.html).
enum class LinkType : std::uint16_t { ethernet = 1, raw_ip = 101, linux_sll2 = 276 };

/// As the kernel saw the frame at its interface (SLL2 packet type).
enum class Direction : std::uint8_t { in, out, other_host, unknown };

struct IpHeader {
  IpAddress source;
  IpAddress destination;
  std::uint8_t ttl = 0;       ///< or hop limit
  std::uint8_t protocol = 0;  ///< of what follows, IPv6 extension headers passed over
  std::uint16_t id = 0;       ///< IPv4 only
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  ///< bytes; beyond 0 there is no transport header
  std::size_t total_length = 0;       ///< bytes, header included, as the header says
  std::uint8_t segments_left = 0;     ///< of an IPv6 routing header: `destination` is not yet the last one
};

/// What a packet's transport checksum says.
enum class Checksum : std::uint8_t {
  unknown,  ///< not looked at, or it cannot be told: the packet is cut, a fragment, or has none that is known
  good,
  partial,  ///< only the pseudo-header's sum is in it: the rest is left to a device (CHECKSUM_PARTIAL)
  bad,
};

struct UdpHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t length = 0;
};

struct TcpHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 0;
  bool syn = false, ack = false, fin = false, rst = false, psh = false;
  std::uint16_t window = 0;
};

struct Packet;

struct IcmpHeader {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  bool v6 = false;
  std::uint16_t echo_id = 0;  ///< of echo request and reply
  std::uint16_t echo_sequence = 0;
  std::uint32_t rest = 0;           ///< bytes 4..7: next-hop MTU and the like
  std::optional<IpAddress> target;  ///< of IPv6 neighbour solicitation and advertisement
  /// What an error quotes; may be cut short. Null when this is no error.
  std::shared_ptr<const Packet> quoted;

  bool is_echo_request() const noexcept { return type == (v6 ? 128 : 8); }
  bool is_echo_reply() const noexcept { return type == (v6 ? 129 : 0); }
  bool is_error() const noexcept;
};

struct ArpHeader {
  bool request = false;  ///< otherwise a reply
  MacAddress sender_mac;
  IpAddress sender;
  MacAddress target_mac;
  IpAddress target;
};

/// What a DNS message (without TCP's length) asks. Used to tell queries apart.
struct DnsQuestion {
  std::uint16_t id = 0;
  bool response = false;
  std::uint8_t rcode = 0;
  std::string name;  ///< case as on the wire, no final dot; any bytes at all
  std::uint16_t type = 0;
};

/// A decoded frame. Whatever could not be decoded is absent, and `problem` says why.
struct Packet {
  std::uint16_t ether_type = 0;
  std::optional<MacAddress> source_mac;
  std::optional<MacAddress> destination_mac;  ///< cooked captures (SLL2) do not carry it
  Direction direction = Direction::unknown;   ///< SLL2 only
  unsigned interface_index = 0;               ///< SLL2 only
  std::optional<IpHeader> ip;
  std::variant<std::monostate, UdpHeader, TcpHeader, IcmpHeader, ArpHeader> transport;
  std::size_t transport_offset = 0;  ///< in the frame's bytes: where the header of `transport` begins, of IP
  /// Left unknown by decode(): it costs a pass over all bytes. See checksum_of().
  Checksum checksum = Checksum::unknown;
  /// Where the transport's payload lies in the frame's bytes: of UDP, TCP, and ICMP echo (after its 8 bytes).
  std::size_t payload_offset = 0;
  std::size_t payload_length = 0;  ///< bytes captured, never beyond the frame
  std::size_t payload_total =
      0;  ///< bytes that the headers claim: more when the frame was cut to the snap length
  std::optional<DnsQuestion> dns;  ///< of UDP from or to port 53
  std::string problem;             ///< empty: decoded to the end

  std::span<const std::uint8_t> payload(std::span<const std::uint8_t> frame) const noexcept {
    return frame.subspan(payload_offset, payload_length);
  }
};

/// Never throws and never reads past `frame`; truncated and malformed input gives what could be decoded.
Packet decode(std::span<const std::uint8_t> frame, LinkType link_type);

/// Of a decoded frame's UDP, TCP or ICMP. Never throws and never reads past `frame`, which must be the one
/// that was decoded.
Checksum checksum_of(const Packet& packet, std::span<const std::uint8_t> frame);

/// One line: "192.168.99.11:40001 > 203.0.113.80:7 UDP 64 bytes, ttl 64"; addresses as they are in this
/// packet.
std::string to_text(const Packet& packet);

/// A line for each header, from the outermost to what it carries, as a dissector shows them; what an ICMP
/// error quotes is indented.
std::vector<std::string> header_lines(const Packet& packet);

/// "port unreachable", "host administratively prohibited", "echo request", "type 42 code 7".
std::string icmp_text(std::uint8_t type, std::uint8_t code, bool v6);

/// Absent when the message does not parse, or asks anything but one question.
std::optional<DnsQuestion> decode_dns_question(std::span<const std::uint8_t> message);

}  // namespace plumbline::traffic
