#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::engine {

/// A TCP connection as /proc/net/tcp{,6} have it.
struct TcpConnection {
  enum class State : std::uint8_t {
    established,
    half_open,  ///< SYN_RECV: its client has been answered, and not been heard of again
    other,
  };
  IpAddress local, remote;  ///< of one of IPv4 on a socket of IPv6: IPv4
  std::uint16_t local_port = 0, remote_port = 0;
  State state = State::other;
  std::uint64_t inode = 0;  ///< 0: no process has it (yet)
};

/// Absent: the line is none (a heading).
std::optional<TcpConnection> parse_tcp_connection(const std::string& line);

/// Those of a namespace.
std::vector<TcpConnection> tcp_connections(const kernel::Netns& netns);

}  // namespace plumbline::engine
