#include <array>

#include "harness/network/service/server.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

using Peer = std::shared_ptr<detail::Connection>;

// A silent client holds a place among a bounded number for no longer than this.
constexpr std::chrono::seconds kIdleLimit{60};

boost::asio::awaitable<void> echo(Peer connection, std::chrono::milliseconds delay) {
  std::array<std::uint8_t, 16'384> buffer{};
  while (true) {
    connection->allow(kIdleLimit);
    const std::size_t size = co_await connection->read_some(buffer);
    if (size == 0) break;
    const std::span<const std::uint8_t> bytes = std::span(buffer).first(size);
    connection->note(std::string(bytes.begin(), bytes.end()));
    co_await connection->pause(delay);
    const bool sent = co_await connection->write_all(bytes);
    if (!sent) break;
  }
}

boost::asio::awaitable<void> silence(Peer connection) {
  std::array<std::uint8_t, 16'384> buffer{};
  connection->allow(kIdleLimit);
  while (true) {
    const std::size_t size = co_await connection->read_some(buffer);
    if (size == 0) break;
    connection->note(std::string(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)));
  }
}

boost::asio::awaitable<void> reset(Peer connection) {
  connection->reset();
  co_return;
}

std::unique_ptr<Server> serve(const boost::asio::any_io_executor& executor, const kernel::Netns& netns,
                              std::uint16_t port, const Manner& manner, const detail::Session& session) {
  const auto log = std::make_shared<detail::RequestLog>();
  const auto service =
      detail::TcpService::start(executor, detail::listen_tcp(netns, port, {}, manner.listen), log, session);
  return std::make_unique<detail::ServerOf>(log, std::weak_ptr<detail::UdpService>{}, service);
}

}  // namespace

std::unique_ptr<Server> serve_tcp_echo(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                       std::uint16_t port, const Manner& manner) {
  return serve(executor, netns, port, manner,
               [delay = manner.delay](Peer connection) { return echo(std::move(connection), delay); });
}

std::unique_ptr<Server> serve_tcp_silence(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                          std::uint16_t port, const Manner& manner) {
  return serve(executor, netns, port, manner, silence);
}

std::unique_ptr<Server> serve_tcp_reset(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                        std::uint16_t port, const Manner& manner) {
  return serve(executor, netns, port, manner, reset);
}

}  // namespace plumbline::network
