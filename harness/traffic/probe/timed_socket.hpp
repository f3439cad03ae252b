#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "harness/base/fd.hpp"

namespace plumbline::traffic::detail {

/// A socket whose waits all end at one time-out. One coroutine waits at a time.
class TimedSocket {
 public:
  TimedSocket(const boost::asio::any_io_executor& executor, Fd socket);
  ~TimedSocket();
  TimedSocket(const TimedSocket&) = delete;
  TimedSocket& operator=(const TimedSocket&) = delete;

  int fd() const noexcept;
  /// The time-out counts from here.
  void start_clock(std::chrono::milliseconds timeout);
  /// True: there is something to read, or an error is waiting, in its queue or as SO_ERROR. False: time-out.
  boost::asio::awaitable<bool> readable();
  /// The same for writing, or a connection made.
  boost::asio::awaitable<bool> writable();
  /// Since start_clock.
  std::chrono::microseconds elapsed() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace plumbline::traffic::detail
