#include <array>

#include "harness/network/service/server.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

// A silent client holds a place among a bounded number for no longer than this.
constexpr std::chrono::seconds kIdleLimit{60};

boost::asio::awaitable<void> echo(std::shared_ptr<detail::Connection> connection) {
  std::array<std::uint8_t, 16'384> buffer{};
  while (true) {
    connection->allow(kIdleLimit);
    const std::size_t size = co_await connection->read_some(buffer);
    if (size == 0) break;
    const std::span<const std::uint8_t> bytes = std::span(buffer).first(size);
    connection->note(std::string(bytes.begin(), bytes.end()));
    const bool sent = co_await connection->write_all(bytes);
    if (!sent) break;
  }
}

}  // namespace

std::unique_ptr<Server> serve_tcp_echo(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                       std::uint16_t port) {
  const auto log = std::make_shared<detail::RequestLog>();
  const auto service = detail::TcpService::start(executor, detail::listen_tcp(netns, port), log, echo);
  return std::make_unique<detail::ServerOf>(log, std::weak_ptr<detail::UdpService>{}, service);
}

}  // namespace plumbline::network
