#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

/// An entry of a bridge's forwarding table: frames to `mac` leave by `port`.
struct FdbEntry {
  unsigned port = 0;    ///< index of the port, or of the bridge itself
  unsigned bridge = 0;  ///< index; 0: an entry of the port's own filter, not of a bridge
  MacAddress mac;
  std::uint16_t vlan = 0;  ///< 0: none
  bool own = false;        ///< the address of the port or bridge itself (NUD_PERMANENT): frames end here
  bool fixed = false;      ///< set by hand (NUD_NOARP): not learned, never ages
};

/// Adds a fixed one, in place of any there is for the address.
Message add_fdb_entry(const FdbEntry& entry);
/// For Socket::dump: those of one bridge, by its index.
Message get_fdb(unsigned bridge);
/// Absent: not an entry, or malformed.
std::optional<FdbEntry> decode_fdb_entry(const Received& message);

}  // namespace plumbline::kernel::netlink
