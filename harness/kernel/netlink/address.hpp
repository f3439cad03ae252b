#pragma once

#include <optional>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

/// An address on a link.
struct Address {
  unsigned index = 0;  ///< the link's
  InterfaceAddress address;
  bool tentative = false;   ///< IPv6: duplicate detection has not finished, so it cannot be used yet
  bool duplicate = false;   ///< IPv6: duplicate detection found another owner
  bool deprecated = false;  ///< no new packets are sent from it where there is another
};

/// IPv6 addresses are added without duplicate address detection (IFA_F_NODAD), which would keep them
/// tentative for 2 s. An address that is already there is an error (EEXIST), but not an IPv6 link-local one,
/// which the kernel makes by itself at a moment of its own choosing.
Message add_address(const Address& address);
/// Needs the prefix length as well.
Message delete_address(const Address& address);
/// For Socket::dump; without a family all addresses.
Message get_addresses(std::optional<IpFamily> family = std::nullopt);
std::optional<Address> decode_address(const Received& message);

}  // namespace plumbline::kernel::netlink
