#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/traffic/probe/probe.hpp"

namespace plumbline::traffic::detail {

/// Asks for ICMP errors in the socket's error queue (ip(7), IP_RECVERR). Returns 0 or errno.
int enable_error_queue(int fd, IpFamily family);

/// One entry of the error queue.
struct QueuedError {
  std::optional<IcmpError> icmp;  ///< absent: the sending kernel itself reports, a path MTU for instance
  int error_number = 0;
  std::uint32_t mtu = 0;  ///< of EMSGSIZE: the largest packet that passes; 0: not said
  /// What the error quotes of our packet, behind its IP header.
  std::array<std::uint8_t, 64> quoted{};
  std::size_t quoted_size = 0;

  std::span<const std::uint8_t> quote() const noexcept { return std::span(quoted).first(quoted_size); }
};

/// The oldest entry, taken out; absent when the queue is empty.
std::optional<QueuedError> take_queued_error(int fd);

/// The oldest ICMP error in the queue; entries of other kinds before it are dropped.
std::optional<IcmpError> take_icmp_error(int fd);

}  // namespace plumbline::traffic::detail
