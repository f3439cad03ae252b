#include "harness/network/service/server.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

std::string text_of(std::span<const std::uint8_t> datagram) {
  return {datagram.begin(), datagram.end()};
}

detail::UdpReply echo(std::span<const std::uint8_t> datagram) {
  return {detail::Bytes(datagram.begin(), datagram.end()), text_of(datagram)};
}

detail::UdpReply silence(std::span<const std::uint8_t> datagram) {
  return {std::nullopt, text_of(datagram)};
}

std::unique_ptr<Server> serve(const boost::asio::any_io_executor& executor, const kernel::Netns& netns,
                              std::uint16_t port, const Manner& manner, const detail::UdpAnswer& answer) {
  const auto log = std::make_shared<detail::RequestLog>();
  const auto service = detail::UdpService::start(executor, detail::bind_udp(netns, port, {}, manner.listen),
                                                 log, answer, detail::udp_manner(netns, manner));
  return std::make_unique<detail::ServerOf>(log, service);
}

}  // namespace

std::unique_ptr<Server> serve_udp_echo(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                       std::uint16_t port, const Manner& manner) {
  return serve(executor, netns, port, manner, echo);
}

std::unique_ptr<Server> serve_udp_silence(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                          std::uint16_t port, const Manner& manner) {
  return serve(executor, netns, port, manner, silence);
}

}  // namespace plumbline::network
