#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

/// An address resolved to a hardware address on a link.
struct Neighbour {
  unsigned index = 0;  ///< the link's
  IpAddress address;
  MacAddress mac;
  bool permanent = true;  ///< set by hand, never ages
};

/// How far the kernel is with an address (NUD_… of linux/neighbour.h).
enum class NeighbourState : std::uint8_t {
  incomplete,  ///< being asked for
  reachable,
  stale,      ///< known, not confirmed of late
  delay,      ///< in use again, soon to be confirmed
  probe,      ///< being confirmed
  failed,     ///< asked for in vain
  noarp,      ///< never asked for: multicast, loopback
  permanent,  ///< set by hand
};
/// "incomplete", "reachable", …
const char* to_text(NeighbourState state) noexcept;

/// An entry of the neighbour table, resolved or not.
struct NeighbourEntry {
  unsigned index = 0;  ///< the link's
  IpAddress address;
  std::optional<MacAddress> mac;  ///< absent while it is not known
  NeighbourState state = NeighbourState::incomplete;
};

/// Adds a permanent one, in place of any there is for the address.
Message add_neighbour(const Neighbour& neighbour);
Message delete_neighbour(const NeighbourEntry& neighbour);
/// For Socket::dump.
Message get_neighbours();
/// Absent: not one, or malformed.
std::optional<NeighbourEntry> decode_neighbour_entry(const Received& message);
/// Absent too: unresolved or failed, or one that the kernel never resolves (noarp).
std::optional<Neighbour> decode_neighbour(const Received& message);

}  // namespace plumbline::kernel::netlink
