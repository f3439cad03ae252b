#pragma once

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

/// Adds a permanent one, in place of any there is for the address.
Message add_neighbour(const Neighbour& neighbour);
/// For Socket::dump.
Message get_neighbours();
/// Absent: not one, malformed, unresolved or failed, or one that the kernel never resolves (NUD_NOARP).
std::optional<Neighbour> decode_neighbour(const Received& message);

}  // namespace plumbline::kernel::netlink
