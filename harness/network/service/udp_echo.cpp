#include "harness/network/service/server.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

detail::UdpReply echo(std::span<const std::uint8_t> datagram) {
  return {detail::Bytes(datagram.begin(), datagram.end()), std::string(datagram.begin(), datagram.end())};
}

}  // namespace

std::unique_ptr<Server> serve_udp_echo(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                       std::uint16_t port) {
  const auto log = std::make_shared<detail::RequestLog>();
  const auto service = detail::UdpService::start(executor, detail::bind_udp(netns, port), log, echo);
  return std::make_unique<detail::ServerOf>(log, service);
}

}  // namespace plumbline::network
