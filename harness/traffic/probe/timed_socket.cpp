#include "harness/traffic/probe/timed_socket.hpp"

#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace plumbline::traffic::detail {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;
using Clock = std::chrono::steady_clock;

/// How often a time-out may begin anew. A DNS answer over TCP needs three: connected, length, message.
constexpr int kMostExtensions = 4;

/// Into how many waits a time-out is cut. What answers may be served by this very event loop, so that a turn
/// of the loop that took long counts as one of them only, however long it was.
constexpr int kWaits = 8;

}  // namespace

struct TimedSocket::State {
  State(const asio::any_io_executor& executor, int socket) : descriptor(executor, socket), timer(executor) {}

  Descriptor descriptor;
  asio::steady_timer timer;
  Clock::time_point started = Clock::now();
  std::chrono::milliseconds timeout{0};
  Descriptor::wait_type awaited = Descriptor::wait_read;
  int extensions_left = kMostExtensions;
  int waits_left = 0;
  bool expired = false;

  bool ready() {
    pollfd socket{descriptor.native_handle(),
                  static_cast<short>(awaited == Descriptor::wait_write ? POLLOUT : POLLIN), 0};
    return ::poll(&socket, 1, 0) > 0;
  }

  bool extend() {
    if (extensions_left == 0) return false;
    --extensions_left;
    return true;
  }

  static void arm(const std::shared_ptr<State>& state) {
    state->waits_left = kWaits;
    wait_on(state);
  }

  static void wait_on(const std::shared_ptr<State>& state) {
    state->timer.expires_after(std::chrono::duration_cast<Clock::duration>(state->timeout) / kWaits);
    const std::weak_ptr<State> weak = state;
    state->timer.async_wait([weak](const boost::system::error_code& problem) {
      if (problem) return;
      const auto held = weak.lock();
      if (held && --held->waits_left > 0) return wait_on(held);
      expire(weak);
    });
  }

  static void expire(const std::weak_ptr<State>& weak) {
    const auto held = weak.lock();
    if (!held || !held->descriptor.is_open()) return;
    // Something came while this process did not run: the reactor will tell of it, so the wait goes on.
    if (held->ready() && held->extend()) return arm(held);
    held->expired = true;
    boost::system::error_code ignored;
    held->descriptor.cancel(ignored);
  }

  /// An error (EPOLLERR) ends a wait of either kind at once: Asio's reactor completes all of them then.
  static asio::awaitable<bool> wait(std::shared_ptr<State> state, Descriptor::wait_type type) {
    if (state->expired) co_return false;
    state->awaited = type;
    const auto [problem] = co_await state->descriptor.async_wait(type, asio::as_tuple(asio::use_awaitable));
    if (!problem) co_return true;
    if (state->expired) co_return false;
    throw boost::system::system_error(problem);  // the waiting coroutine was cancelled from outside
  }
};

TimedSocket::TimedSocket(const asio::any_io_executor& executor, Fd socket)
    : state_(std::make_shared<State>(executor, socket.get())) {
  static_cast<void>(socket.release());
}

TimedSocket::~TimedSocket() {
  // The timer's handler shares the state: the socket is to close now, not when the handler has run.
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
  try {
    state_->timer.cancel();
  } catch (const boost::system::system_error&) {  // throws only when memory is out
  }
}

int TimedSocket::fd() const noexcept {
  return state_->descriptor.native_handle();
}

void TimedSocket::start_clock(std::chrono::milliseconds timeout, const std::shared_ptr<Recall>& recall) {
  state_->started = Clock::now();
  state_->timeout = timeout;
  State::arm(state_);
  if (recall) recall->obey([weak = std::weak_ptr<State>(state_)] { State::expire(weak); });
}

void TimedSocket::progressed() {
  if (!state_->expired && state_->extend()) State::arm(state_);
}

asio::awaitable<bool> TimedSocket::readable() {
  return State::wait(state_, Descriptor::wait_read);
}
asio::awaitable<bool> TimedSocket::writable() {
  return State::wait(state_, Descriptor::wait_write);
}

std::chrono::microseconds TimedSocket::elapsed() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - state_->started);
}

}  // namespace plumbline::traffic::detail
