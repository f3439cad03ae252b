#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/this_coro.hpp>
#include <cerrno>

#include "harness/traffic/probe/endpoint.hpp"
#include "harness/traffic/probe/exchange.hpp"
#include "harness/traffic/probe/icmp_echo.hpp"
#include "harness/traffic/probe/ping_filter.hpp"
#include "harness/traffic/probe/source_port.hpp"

namespace plumbline::traffic::detail {
namespace {

int bind_source(int fd, const IpAddress& source) {
  const Endpoint local = endpoint(source, 0);
  return ::bind(fd, local.data(), static_cast<socklen_t>(local.size())) == 0 ? 0 : errno;
}

Opened open_ping(const ProbeRequest& request) {
  const IpFamily family = request.to.family();
  const int protocol = family == IpFamily::v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  Opened opened = open_socket(*request.from, family, SOCK_RAW, protocol);
  opened.identity.source_port = next_echo_id();
  if (opened.error != 0) return opened;
  const int fd = opened.fd.get();
  if (!opened.succeeded(pass_echo_replies(fd, family), "ICMP_FILTER")) return opened;
  if (!opened.succeeded(pass_echo_id(fd, family, opened.identity.source_port), "SO_ATTACH_FILTER"))
    return opened;
  if (request.whole && !opened.succeeded(send_whole(fd, family), "IP_MTU_DISCOVER")) return opened;
  if (request.source && !opened.succeeded(bind_source(fd, *request.source), "bind")) return opened;
  if (!opened.succeeded(connect_to(fd, request.to, 0, request.scope), "connect")) return opened;
  opened.identity.source = address_of(local_endpoint(fd));
  return opened;
}

}  // namespace

boost::asio::awaitable<ProbeOutcome> ping(ProbeRequest request, Ready ready) {
  const Bytes payload = make_payload(request.nonce, request.payload_bytes);
  Opened opened = open_ping(request);
  ProbeOutcome outcome;
  outcome.identity = opened.identity;
  ready(outcome.identity);
  if (opened.error != 0) {
    refuse_locally(outcome, opened.error, opened.step);
    co_return outcome;
  }
  const IpFamily family = request.to.family();
  const std::uint16_t id = opened.identity.source_port;
  const Bytes packet = make_echo_request(family, id, payload);
  const DatagramRules rules{
      .is_reply =
          [&payload, family, id](std::span<const std::uint8_t> bytes) {
            const auto message = family == IpFamily::v4 ? skip_ipv4_header(bytes) : std::optional(bytes);
            return message && is_echo_reply(family, id, payload, *message);
          },
      .is_own_error =
          [&payload, family, id](const QueuedError& queued) {
            return quotes_echo_request(family, id, payload, queued.quote());
          },
  };
  const auto executor = co_await boost::asio::this_coro::executor;
  TimedSocket socket(executor, std::move(opened.fd));
  co_await exchange_datagram(socket, request, packet, rules, outcome);
  co_return outcome;
}

}  // namespace plumbline::traffic::detail
