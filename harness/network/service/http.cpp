#include <array>

#include "harness/network/service/http_message.hpp"
#include "harness/network/service/server.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

// For the whole connection, however slowly a client sends.
constexpr std::chrono::seconds kConversationLimit{10};

boost::asio::awaitable<void> answer(std::shared_ptr<detail::Connection> connection,
                                    std::chrono::milliseconds delay) {
  connection->allow(kConversationLimit);
  std::array<std::uint8_t, 1024> buffer{};
  std::string received;
  while (!detail::http_request_complete(received) && received.size() < detail::kHttpRequestLimit) {
    const std::size_t size = co_await connection->read_some(buffer);
    if (size == 0) break;
    received.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  }
  if (received.empty()) co_return;
  connection->note(received);
  const std::string text = detail::http_answer(detail::parse_http_request(received), connection->who());
  const detail::Bytes bytes(text.begin(), text.end());
  co_await connection->pause(delay);
  const bool sent = co_await connection->write_all(bytes);
  if (sent) co_await connection->finish();
}

}  // namespace

std::unique_ptr<Server> serve_http(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                   std::uint16_t port, const Manner& manner) {
  const auto log = std::make_shared<detail::RequestLog>();
  const auto service =
      detail::TcpService::start(executor, detail::listen_tcp(netns, port, {}, manner.listen), log,
                                [delay = manner.delay](std::shared_ptr<detail::Connection> connection) {
                                  return answer(std::move(connection), delay);
                                });
  return std::make_unique<detail::ServerOf>(log, std::weak_ptr<detail::UdpService>{}, service);
}

}  // namespace plumbline::network
