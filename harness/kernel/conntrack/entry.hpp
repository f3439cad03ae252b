#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::conntrack {

/// One direction of a flow. `protocol`: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6; of others only the addresses count.
struct Tuple {
  IpAddress source, destination;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0, destination_port = 0;  ///< TCP and UDP
  std::uint16_t echo_id = 0;
  std::uint8_t icmp_type = 0, icmp_code = 0;

  friend bool operator==(const Tuple&, const Tuple&) = default;
};

enum class TcpState : std::uint8_t {
  none,
  syn_sent,
  syn_recv,
  established,
  fin_wait,
  close_wait,
  last_ack,
  time_wait,
  close,
  syn_sent2,  ///< both ends have opened it
};
/// "SYN_SENT", as conntrack(8) says it.
const char* to_text(TcpState state) noexcept;

/// A flow as the kernel tracks it.
struct Entry {
  Tuple original;  ///< as its first packet came
  Tuple reply;     ///< as an answer must come
  bool seen_reply = false;
  bool assured = false;    ///< not ended early for want of room
  bool confirmed = false;  ///< its first packet has left, or was delivered
  bool source_nat = false;
  bool destination_nat = false;
  bool dying = false;
  std::optional<TcpState> tcp_state;  ///< absent: not TCP, or a state that we do not know
  std::uint16_t zone = 0;             ///< 0: the one that all share
  std::uint32_t mark = 0;
  std::uint32_t timeout = 0;  ///< seconds until it is forgotten

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Asks for the flow whose first packet had this tuple, in that zone.
netlink::Message get_entry(const Tuple& original, std::uint16_t zone = 0);
/// Asks for all flows of a family.
netlink::Message get_entries(IpFamily family);

/// Absent: no flow, or malformed.
std::optional<Entry> decode_entry(const netlink::Received& message);

}  // namespace plumbline::kernel::conntrack
