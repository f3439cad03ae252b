#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/fd.hpp"
#include "harness/base/ip.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::network::detail {

/// A socket bound to every local address of `netns`, or to `address` alone. One IPv6 socket hears both
/// families; where the kernel has no IPv6 at all (or `family` says v4, or `address` is IPv4) it is an IPv4
/// socket. Non-blocking, closed on exec. Throws Error naming transport and port.
struct BoundSocket {
  Fd fd;
  IpFamily family = IpFamily::v6;
};
/// Tells with every datagram which address it was sent to (IP_PKTINFO, IPV6_RECVPKTINFO).
BoundSocket bind_udp(const kernel::Netns& netns, std::uint16_t port, std::optional<IpFamily> family = {},
                     const std::optional<IpAddress>& address = {});
/// Listening.
BoundSocket listen_tcp(const kernel::Netns& netns, std::uint16_t port, std::optional<IpFamily> family = {},
                       const std::optional<IpAddress>& address = {});

}  // namespace plumbline::network::detail
