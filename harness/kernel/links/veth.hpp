#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::links {

/// One end of a pair.
struct VethEnd {
  std::string name;
  std::optional<int> netns_fd;  ///< where it is made; absent: in the socket's namespace
  unsigned index = 0;           ///< 0: the kernel's choice
  std::optional<MacAddress> mac;
  std::uint32_t mtu = 0;  ///< bytes; 0: the kernel's choice
};

/// A pair made straight into its two places, so that nothing need be moved or renamed afterwards.
struct Veth {
  VethEnd end;
  unsigned master = 0;  ///< of `end`: a bridge where it is made; 0: none
  bool up = false;      ///< of `end`. The peer cannot be brought up before the pair is whole: ENOTCONN
  VethEnd peer;         ///< its index counts only when `end` has one too
};

netlink::Message create(const Veth& veth);
/// What `create` wrote; absent: another message, or malformed.
std::optional<Veth> decode_veth(const netlink::Received& message);

}  // namespace plumbline::kernel::links
