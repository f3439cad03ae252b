#include "harness/engine/run/event_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <initializer_list>
#include <utility>

namespace plumbline::engine {
namespace {

/// Signals that came before there was a handler have waited for it.
void unblock(std::initializer_list<int> signals) {
  sigset_t set{};
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

/// The handlers are in place before anything is built: pid 1 of a pid namespace has no default ones.
EventLoop::EventLoop() : signals_(loop_, SIGINT, SIGTERM, SIGHUP), seconds_(loop_) {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    interrupted_ = true;
    loop_.stop();
  });
  unblock({SIGINT, SIGTERM, SIGHUP});
}

void EventLoop::each_second(std::function<void()> tick) {
  seconds_.expires_after(std::chrono::seconds(1));
  seconds_.async_wait([this, tick = std::move(tick)](const boost::system::error_code& error) mutable {
    if (error) return;
    tick();
    each_second(std::move(tick));
  });
}

void EventLoop::run(boost::asio::awaitable<void> work) {
  working_ = 1;
  start(std::move(work));
  run_loop();
}

void EventLoop::run(std::size_t workers, std::function<boost::asio::awaitable<void>()> worker) {
  working_ = workers;
  if (working_ == 0) return;
  boost::asio::co_spawn(loop_, start(workers, std::move(worker)),
                        [this](const std::exception_ptr& problem) { ended(problem); });
  run_loop();
}

/// One after the other, with a turn of the loop between: the taps are read meanwhile. Hundreds of probes
/// sent at one go would fill their rings first, and lost frames prove nothing.
boost::asio::awaitable<void> EventLoop::start(std::size_t workers,
                                              std::function<boost::asio::awaitable<void>()> worker) {
  for (std::size_t i = 0; i < workers; ++i) {
    start(worker());
    co_await boost::asio::post(loop_, boost::asio::use_awaitable);
  }
}

void EventLoop::start(boost::asio::awaitable<void> work) {
  boost::asio::co_spawn(loop_, std::move(work), [this](const std::exception_ptr& problem) {
    --working_;
    ended(problem);
  });
}

void EventLoop::ended(const std::exception_ptr& problem) {
  if (problem && !problem_) problem_ = problem;
  if (working_ == 0 || problem) loop_.stop();
}

/// Until nobody works any more. Whoever ends stops the loop, also one that is looked at only in the next
/// turn: so what counts is the count.
void EventLoop::run_loop() {
  while (working_ > 0 && !problem_ && !interrupted_) {
    loop_.restart();
    loop_.run();
  }
  if (const std::exception_ptr problem = std::exchange(problem_, nullptr)) std::rethrow_exception(problem);
}

}  // namespace plumbline::engine
