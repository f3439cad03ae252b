#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <exception>
#include <string>

namespace plumbline::testing {

/// Private to this folder: an event loop that runs until the work it was given is done, though servers and
/// taps would keep it busy for ever.
///
/// An exception that leaves work suspended (a tap's own handler has thrown) is the loop's end: that work
/// holds references to what its starter is about to leave, and must never be resumed. It is destroyed before
/// run() throws, and with it all other handlers.
class WorkLoop {
 public:
  WorkLoop() = default;
  WorkLoop(const WorkLoop&) = delete;
  WorkLoop& operator=(const WorkLoop&) = delete;

  boost::asio::io_context::executor_type executor() noexcept { return context_.get_executor(); }

  /// Runs `work`, and what it starts, to the end. Throws what was thrown in either, or by a handler; Error
  /// where the loop has ended already.
  void run(boost::asio::awaitable<void> work);
  /// To be called by work under way: it runs beside.
  void start(boost::asio::awaitable<void> work);

  /// Throws Error, with what was thrown then, where the loop has ended.
  void require_alive() const;

 private:
  struct Context : boost::asio::io_context {
    Context() : io_context(1) {}
    using io_context::shutdown;  // destroys handlers, and leaves what sockets and timers rest on
  };

  void abandon(const std::exception_ptr& problem);

  Context context_;
  std::size_t working_ = 0;
  std::exception_ptr problem_;
  std::string ended_by_;  ///< empty: alive
};

}  // namespace plumbline::testing
