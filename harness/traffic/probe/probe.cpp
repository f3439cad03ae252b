#include "harness/traffic/probe/probe.hpp"

#include <fmt/format.h>

#include <atomic>
#include <random>

#include "harness/base/error.hpp"
#include "harness/traffic/probe/exchange.hpp"

namespace plumbline::traffic {
namespace {

constexpr std::uint64_t kNonceMask = (1ULL << 48U) - 1;
constexpr std::uint64_t kNonceTag = 0x504C'0000'0000'0000ULL;  // "PL"

std::uint64_t random_start() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) ^ device();
}

}  // namespace

Nonce next_nonce() {
  static std::atomic<std::uint64_t> turn{random_start()};
  return kNonceTag | (turn.fetch_add(1, std::memory_order_relaxed) & kNonceMask);
}

std::string nonce_text(Nonce nonce) {
  return fmt::format("{:016x}", nonce);
}

boost::asio::awaitable<ProbeOutcome> probe(ProbeRequest request,
                                           std::function<void(const ProbeIdentity&)> ready) {
  if (request.from == nullptr) throw Error("a probe was asked for without a node to send it from");
  if (request.source && request.source->family() != request.to.family()) {
    throw Error(fmt::format("a probe to {} cannot have the source {}: another family", request.to.to_string(),
                            request.source->to_string()));
  }
  if (!ready) ready = [](const ProbeIdentity&) {};
  switch (request.protocol) {
    case Protocol::ping:
      return detail::ping(request, std::move(ready));
    case Protocol::udp:
      return detail::udp(request, std::move(ready));
    case Protocol::tcp:
      return detail::tcp(request, std::move(ready));
  }
  throw Error("a probe was asked for with an unknown protocol");
}

}  // namespace plumbline::traffic
