#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/traffic/probe/dns_answer.hpp"
#include "harness/traffic/probe/dns_channel.hpp"

namespace plumbline::traffic {
namespace {

using Status = DnsOutcome::Status;

/// The channel is done, or its time is over.
DnsOutcome conclude(const detail::DnsChannel& channel, const DnsRequest& request) {
  const auto& result = channel.result();
  DnsOutcome outcome;
  outcome.identity = result.identity;
  outcome.duration = channel.elapsed();
  outcome.error_number = result.error;
  if (result.answer) {
    detail::read_dns_answer(channel.query(), *result.answer, request.aaaa, outcome);
  } else if (result.icmp) {
    outcome.status = Status::icmp_error;
    outcome.icmp = result.icmp;
  } else if (!channel.done() || result.error == ETIMEDOUT) {
    outcome.status = Status::timeout;
  } else if (result.error == 0 || result.error == ECONNREFUSED || result.error == ECONNRESET ||
             result.error == EPIPE) {
    outcome.status = Status::refused_connection;
  } else {
    outcome.status = Status::local_error;
    outcome.attempted = result.step;
  }
  return outcome;
}

boost::asio::awaitable<DnsOutcome> ask_one(DnsRequest request, detail::Ready ready) {
  const auto executor = co_await boost::asio::this_coro::executor;
  detail::DnsChannel channel(executor, request, std::move(ready));
  channel.send();
  while (!channel.done() && channel.socket() != nullptr) {
    bool something = false;
    if (channel.wants_to_write()) {
      something = co_await channel.socket()->writable();
    } else {
      something = co_await channel.socket()->readable();
    }
    if (!something) break;
    channel.process();
    if (!channel.done() && channel.socket() != nullptr) channel.socket()->progressed();
  }
  co_return conclude(channel, request);
}

}  // namespace

boost::asio::awaitable<DnsOutcome> ask(DnsRequest request, std::function<void(const ProbeIdentity&)> ready) {
  if (request.from == nullptr) throw Error("a DNS question was asked for without a node to send it from");
  if (!ready) ready = [](const ProbeIdentity&) {};
  return ask_one(std::move(request), std::move(ready));
}

}  // namespace plumbline::traffic
