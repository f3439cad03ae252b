#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "harness/base/fd.hpp"
#include "harness/traffic/probe/recall.hpp"

namespace plumbline::traffic::detail {

/// A socket whose waits end at a time-out. One coroutine waits at a time.
///
/// The time-out is that of the network, not of this process: where the event loop itself was held up (a busy
/// machine), an answer that lies in the socket already when the timer is looked at still counts, and so does
/// one that a server in this loop had no turn to give: of a long turn of the loop only a part is counted.
class TimedSocket {
 public:
  TimedSocket(const boost::asio::any_io_executor& executor, Fd socket);
  ~TimedSocket();
  TimedSocket(const TimedSocket&) = delete;
  TimedSocket& operator=(const TimedSocket&) = delete;

  int fd() const noexcept;
  /// The time-out counts from here. `recall`, which may be null, ends it early.
  void start_clock(std::chrono::milliseconds timeout, const std::shared_ptr<Recall>& recall);
  /// The far end did its part (made the connection, sent something): its time-out begins anew, a few times at
  /// most, so that an answer in pieces ends.
  void progressed();
  /// True: there is something to read, or an error is waiting, in its queue or as SO_ERROR. False: time-out.
  boost::asio::awaitable<bool> readable();
  /// The same for writing, or a connection made.
  boost::asio::awaitable<bool> writable();
  /// Since start_clock, whatever has progressed.
  std::chrono::microseconds elapsed() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace plumbline::traffic::detail
