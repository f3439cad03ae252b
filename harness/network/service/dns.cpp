#include <array>

#include "harness/network/service/dns_message.hpp"
#include "harness/network/service/server.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

using Zone = std::shared_ptr<const detail::DnsZone>;

// RFC 7766, 6.2.3: a TCP connection may be kept for further queries, some seconds at least.
constexpr std::chrono::seconds kIdleLimit{10};
constexpr int kQueriesLimit = 1000;

boost::asio::awaitable<void> converse(std::shared_ptr<detail::Connection> connection, Zone zone,
                                      detail::DnsWays ways, std::chrono::milliseconds delay) {
  for (int i = 0; i < kQueriesLimit; ++i) {
    connection->allow(kIdleLimit);
    std::array<std::uint8_t, 2> size{};
    if (const bool more = co_await connection->read_all(size); !more) break;
    detail::Bytes message((std::size_t{size[0]} << 8U) | size[1]);
    if (const bool whole = co_await connection->read_all(message); !whole) break;
    const detail::DnsReply reply = detail::answer_dns(*zone, message, true, ways);
    if (i > 0) connection->begin_entry();
    connection->note(reply.name);
    if (!reply.bytes) break;
    detail::Bytes framed{static_cast<std::uint8_t>(reply.bytes->size() >> 8U),
                         static_cast<std::uint8_t>(reply.bytes->size() & 0xFFU)};
    framed.insert(framed.end(), reply.bytes->begin(), reply.bytes->end());
    co_await connection->pause(delay);
    if (const bool sent = co_await connection->write_all(framed); !sent) break;
  }
}

}  // namespace

std::unique_ptr<Server> serve_dns(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                  std::uint16_t port, std::map<std::string, std::vector<IpAddress>> names,
                                  const DnsManner& manner) {
  const auto zone = std::make_shared<const detail::DnsZone>(std::move(names));
  const auto log = std::make_shared<detail::RequestLog>();
  const detail::DnsWays ways{manner.rcode, manner.truncated, manner.question};
  // Both are bound before either serves, so that a port taken for TCP leaves no UDP server behind.
  std::optional<detail::BoundSocket> datagrams, stream;
  if (manner.over != Transports::tcp) datagrams = detail::bind_udp(netns, port, {}, manner.listen);
  if (manner.over != Transports::udp) stream = detail::listen_tcp(netns, port, {}, manner.listen);
  std::shared_ptr<detail::UdpService> udp;
  if (datagrams) {
    const auto answer = [zone, ways](std::span<const std::uint8_t> message) {
      detail::DnsReply reply = detail::answer_dns(*zone, message, false, ways);
      return detail::UdpReply{std::move(reply.bytes), std::move(reply.name)};
    };
    udp = detail::UdpService::start(executor, std::move(*datagrams), log, answer,
                                    detail::udp_manner(netns, manner));
  }
  std::shared_ptr<detail::TcpService> tcp;
  if (stream) {
    const auto session = [zone, ways, delay = manner.delay](std::shared_ptr<detail::Connection> connection) {
      return converse(std::move(connection), zone, ways, delay);
    };
    tcp = detail::TcpService::start(executor, std::move(*stream), log, session);
  }
  return std::make_unique<detail::ServerOf>(log, udp, tcp);
}

}  // namespace plumbline::network
