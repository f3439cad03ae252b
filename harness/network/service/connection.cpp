#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "harness/network/service/tcp_service.hpp"

namespace plumbline::network::detail {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
// What a client may still send after its answer before it is cut off.
constexpr std::size_t kDrainLimit = 256 * 1024;

}  // namespace

struct Connection::State {
  State(const asio::any_io_executor& executor, ServiceRequest request, std::shared_ptr<RequestLog> requests)
      : socket(executor),
        timer(executor),
        who(std::move(request)),
        log(std::move(requests)),
        entry(log->add(who)) {}

  tcp::socket socket;
  asio::steady_timer timer;
  ServiceRequest who;
  std::shared_ptr<RequestLog> log;
  std::uint64_t entry;
};

Connection::Connection(const asio::any_io_executor& executor, Fd socket, ServiceRequest who,
                       std::shared_ptr<RequestLog> log)
    : state_(std::make_shared<State>(executor, std::move(who), std::move(log))) {
  state_->socket.assign(tcp::v6(), socket.get());
  static_cast<void>(socket.release());
}

Connection::~Connection() = default;

const ServiceRequest& Connection::who() const noexcept {
  return state_->who;
}

void Connection::allow(std::chrono::milliseconds span) {
  state_->timer.expires_after(span);
  const std::weak_ptr<State> weak = state_;
  state_->timer.async_wait([weak](const boost::system::error_code& problem) {
    const auto state = weak.lock();
    boost::system::error_code ignored;
    if (!problem && state) state->socket.close(ignored);
  });
}

asio::awaitable<std::size_t> Connection::read_some(std::span<std::uint8_t> buffer) {
  const auto target = asio::buffer(buffer.data(), buffer.size());
  const auto [problem, size] = co_await state_->socket.async_read_some(target, kResult);
  co_return problem ? 0 : size;
}

asio::awaitable<bool> Connection::read_all(std::span<std::uint8_t> buffer) {
  const auto target = asio::buffer(buffer.data(), buffer.size());
  const auto [problem, size] = co_await asio::async_read(state_->socket, target, kResult);
  co_return !problem && size == buffer.size();
}

asio::awaitable<bool> Connection::write_all(std::span<const std::uint8_t> bytes) {
  const auto source = asio::buffer(bytes.data(), bytes.size());
  const auto [problem, size] = co_await asio::async_write(state_->socket, source, kResult);
  co_return !problem && size == bytes.size();
}

asio::awaitable<void> Connection::finish() {
  boost::system::error_code problem;
  state_->socket.shutdown(tcp::socket::shutdown_send, problem);
  std::array<std::uint8_t, 4096> unread{};
  std::size_t drained = 0;
  while (!problem && drained < kDrainLimit) {
    const std::size_t got = co_await read_some(unread);
    if (got == 0) break;
    drained += got;
  }
}

asio::awaitable<void> Connection::pause(std::chrono::milliseconds span) {
  if (span.count() == 0) co_return;
  allow(std::chrono::duration_cast<std::chrono::milliseconds>(state_->timer.expiry() -
                                                              std::chrono::steady_clock::now()) +
        span);
  asio::steady_timer timer(state_->timer.get_executor(), span);
  co_await timer.async_wait(kResult);
}

void Connection::reset() noexcept {
  boost::system::error_code ignored;
  // Closing without lingering sends a reset (tcp(7), SO_LINGER).
  state_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
  state_->socket.close(ignored);
}

void Connection::note(std::string_view text) {
  state_->log->append_text(state_->entry, text);
}

void Connection::begin_entry() {
  state_->entry = state_->log->add(state_->who);
}

void Connection::close() noexcept {
  boost::system::error_code ignored;
  state_->socket.close(ignored);
}

}  // namespace plumbline::network::detail
