#include "harness/traffic/probe/endpoint.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

namespace plumbline::traffic::detail {
namespace {

namespace ip = boost::asio::ip;

}  // namespace

Endpoint endpoint(const IpAddress& address, std::uint16_t port, unsigned scope) {
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    ip::address_v4::bytes_type v4{};
    std::copy(bytes.begin(), bytes.end(), v4.begin());
    return {ip::address_v4(v4), port};
  }
  ip::address_v6::bytes_type v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return {ip::address_v6(v6, scope), port};
}

IpAddress address_of(const Endpoint& endpoint) {
  const ip::address address = endpoint.address();
  return address.is_v4() ? IpAddress::v4(address.to_v4().to_bytes())
                         : IpAddress::v6(address.to_v6().to_bytes());
}

IpAddress unspecified(const IpAddress& like) {
  return like.is_v4() ? IpAddress::v4({}) : IpAddress::v6({});
}

Endpoint local_endpoint(int fd) {
  Endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(fd, local.data(), &size) == 0) local.resize(size);
  return local;
}

}  // namespace plumbline::traffic::detail
