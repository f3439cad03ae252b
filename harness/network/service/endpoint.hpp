#pragma once

#include <boost/asio/ip/address.hpp>

#include "harness/base/ip.hpp"

namespace plumbline::network::detail {

/// An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), which is how a dual-stack socket names an IPv4 client,
/// becomes the IPv4 address itself.
IpAddress from_asio(const boost::asio::ip::address& address);

}  // namespace plumbline::network::detail
