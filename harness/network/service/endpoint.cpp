#include "harness/network/service/endpoint.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

namespace plumbline::network::detail {

IpAddress from_asio(const boost::asio::ip::address& address) {
  using boost::asio::ip::make_address_v4;
  if (address.is_v4()) return IpAddress::v4(address.to_v4().to_bytes());
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return IpAddress::v4(make_address_v4(boost::asio::ip::v4_mapped, v6).to_bytes());
  return IpAddress::v6(v6.to_bytes());
}

}  // namespace plumbline::network::detail
