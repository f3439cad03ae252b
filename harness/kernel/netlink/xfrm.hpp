#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

/// IPsec as the kernel holds it, as far as it is needed to say what is there. For Socket::open_xfrm.
namespace plumbline::kernel::netlink {

struct XfrmPolicy {
  Prefix from;
  Prefix to;
  std::string direction;  ///< as ip(8) calls it: "in", "out", "fwd"
  bool blocks = false;
};
struct XfrmState {
  IpAddress from;
  IpAddress to;
  std::uint8_t protocol = 0;  ///< 50: ESP
  std::uint32_t spi = 0;
};

/// For Socket::dump.
Message get_xfrm_policies();
Message get_xfrm_states();
/// Absent: malformed, something else, or a socket's own, which ends with it.
std::optional<XfrmPolicy> decode_xfrm_policy(const Received& message);
std::optional<XfrmState> decode_xfrm_state(const Received& message);

}  // namespace plumbline::kernel::netlink
