#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace plumbline::kernel::nft {

/// The kernel's answer to one message of a batch (NLMSG_ERROR, include/uapi/linux/netlink.h).
struct Reply {
  std::uint32_t sequence = 0;
  int error = 0;                        ///< errno, 0: done
  std::string text;                     ///< extended ack, the kernel's own words; often empty
  std::optional<std::uint32_t> offset;  ///< of the refused attribute within the message
};

/// All whole answers in what one recv returned. Other messages are passed over, and so is what is cut off:
/// any bytes at all may be given.
std::vector<Reply> parse_replies(std::span<const std::uint8_t> bytes);

}  // namespace plumbline::kernel::nft
