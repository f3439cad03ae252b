#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <exception>
#include <functional>

/// Private to this folder.
namespace plumbline::engine {

/// The one loop in which all of a run happens, and the signals that end it early: SIGINT, SIGTERM, SIGHUP.
/// Those that came before there was a handler, and were blocked, have waited for it.
class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() = default;

  boost::asio::io_context::executor_type executor() { return loop_.get_executor(); }
  /// A signal has come.
  bool interrupted() const noexcept { return interrupted_; }
  /// From now on signals end nothing.
  void pass_over_signals() { signals_.cancel(); }
  /// From now on this is called each second while something runs.
  void each_second(std::function<void()> tick);

  /// Until `work` has ended, or a signal came. Throws what it threw.
  void run(boost::asio::awaitable<void> work);
  /// The same with as many workers at once.
  void run(std::size_t workers, std::function<boost::asio::awaitable<void>()> worker);

 private:
  boost::asio::awaitable<void> start(std::size_t workers,
                                     std::function<boost::asio::awaitable<void>()> worker);
  void start(boost::asio::awaitable<void> work);
  void ended(const std::exception_ptr& problem);
  void run_loop();

  boost::asio::io_context loop_{1};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer seconds_;
  std::size_t working_ = 0;
  std::exception_ptr problem_;
  bool interrupted_ = false;
};

}  // namespace plumbline::engine
