#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::links {

/// A bridge in the socket's namespace. Spanning tree is off and the forward delay 0, so that a port forwards
/// as soon as it has carrier; all else, multicast snooping included, is the kernel's default.
struct Bridge {
  std::string name;
  unsigned index = 0;             ///< 0: the kernel's choice
  std::optional<MacAddress> mac;  ///< absent: the kernel's choice, which follows the lowest of its ports
  std::uint32_t mtu = 0;          ///< bytes; 0: the kernel's choice
  bool up = false;
};

netlink::Message create(const Bridge& bridge);
/// What `create` wrote, or a bridge that the kernel reports; absent: another message, or malformed.
std::optional<Bridge> decode_bridge(const netlink::Received& message);

}  // namespace plumbline::kernel::links
