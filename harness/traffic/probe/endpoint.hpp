#pragma once

#include <boost/asio/ip/udp.hpp>
#include <cstdint>

#include "harness/base/ip.hpp"

namespace plumbline::traffic::detail {

/// A sockaddr of either family. Asio's UDP endpoint serves for every protocol: it holds no more than that.
using Endpoint = boost::asio::ip::udp::endpoint;

/// `scope`: of a link-local IPv6 address, the index of the interface that it is reached through.
Endpoint endpoint(const IpAddress& address, std::uint16_t port, unsigned scope = 0);
IpAddress address_of(const Endpoint& endpoint);
/// 0.0.0.0 or ::, as `like`.
IpAddress unspecified(const IpAddress& like);
/// What `fd` is bound to (getsockname).
Endpoint local_endpoint(int fd);

}  // namespace plumbline::traffic::detail
