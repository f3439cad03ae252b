#pragma once

#include <cstdint>
#include <optional>

#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

/// Asks by what number (nsid) the socket's namespace knows the one behind `netns_fd`.
Message get_nsid(int netns_fd);
/// Gives it a number, which the kernel otherwise does by itself when first needed.
Message set_nsid(int netns_fd, std::int32_t nsid);
/// The number; absent when none has been given, or the message is another.
std::optional<std::int32_t> decode_nsid(const Received& message);

}  // namespace plumbline::kernel::netlink
