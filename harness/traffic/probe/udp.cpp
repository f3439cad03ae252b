#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "harness/traffic/probe/endpoint.hpp"
#include "harness/traffic/probe/exchange.hpp"
#include "harness/traffic/probe/source_port.hpp"

namespace plumbline::traffic::detail {
namespace {

Opened open_udp(const ProbeRequest& request) {
  Opened opened = open_socket(*request.from, request.to.family(), SOCK_DGRAM, 0);
  if (opened.error != 0) return opened;
  const int fd = opened.fd.get();
  if (request.whole && !opened.succeeded(send_whole(fd, request.to.family()), "IP_MTU_DISCOVER"))
    return opened;
  const IpAddress source = request.source.value_or(unspecified(request.to));
  if (!opened.succeeded(bind_fresh(fd, source, SourcePorts::udp()), "bind")) return opened;
  opened.identity.source_port = local_endpoint(fd).port();
  if (!opened.succeeded(connect_to(fd, request.to, request.port, request.scope), "connect")) return opened;
  opened.identity.source = address_of(local_endpoint(fd));
  return opened;
}

}  // namespace

boost::asio::awaitable<ProbeOutcome> udp(ProbeRequest request, Ready ready) {
  const Bytes payload = make_payload(request.nonce, request.payload_bytes);
  Opened opened = open_udp(request);
  ProbeOutcome outcome;
  outcome.identity = opened.identity;
  ready(outcome.identity);
  if (opened.error != 0) {
    refuse_locally(outcome, opened.error, opened.step);
    co_return outcome;
  }
  const DatagramRules rules{
      .is_reply =
          [&payload](std::span<const std::uint8_t> bytes) { return std::ranges::equal(bytes, payload); },
      // The kernel has matched addresses and ports, and no other probe has this source port.
      .is_own_error = [](const QueuedError&) { return true; },
  };
  const auto executor = co_await boost::asio::this_coro::executor;
  TimedSocket socket(executor, std::move(opened.fd));
  co_await exchange_datagram(socket, request, payload, rules, outcome);
  co_return outcome;
}

}  // namespace plumbline::traffic::detail
