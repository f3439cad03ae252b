#pragma once

#include <cstdint>

#include "harness/base/ip.hpp"

// A file of its own because linux/icmp.h and Asio's headers declare the same names differently.
namespace plumbline::traffic::detail {

/// A raw socket hears echo replies only. Errors do not come this way but by the error queue, where the kernel
/// has matched them to the addresses of the socket. Returns 0 or errno.
int pass_echo_replies(int fd, IpFamily family);

/// Of the replies, those with this id: every raw socket of a node gets every reply there, and hundreds of
/// probes at once would wake each other. Returns 0 or errno.
int pass_echo_id(int fd, IpFamily family, std::uint16_t id);

}  // namespace plumbline::traffic::detail
