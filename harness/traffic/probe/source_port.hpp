#pragma once

#include <atomic>
#include <cstdint>

#include "harness/traffic/probe/endpoint.hpp"

namespace plumbline::traffic::detail {

/// Gives every probe of one protocol a source port of its own: a port comes back only after all others of the
/// range, so that no conntrack entry, TIME_WAIT or late packet of an earlier probe is mistaken for a later
/// one's.
class SourcePorts {
 public:
  static constexpr std::uint16_t kFirst = 20'000;
  static constexpr std::uint32_t kCount = 40'000;

  SourcePorts();
  std::uint16_t next() noexcept;

  static SourcePorts& udp();
  static SourcePorts& tcp();

 private:
  std::atomic<std::uint32_t> turn_;
};

/// Binds `fd` to `source` (unspecified: any address) and the next port that is free. Returns 0 or errno.
int bind_fresh(int fd, const IpAddress& source, SourcePorts& ports);

/// A 16-bit number that comes back only after all 65,536: the id of ICMP echoes.
std::uint16_t next_echo_id();

}  // namespace plumbline::traffic::detail
