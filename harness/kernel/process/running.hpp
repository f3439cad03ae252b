#pragma once

// Boost.Process 1.81 uses these three without naming them.
#include <boost/asio/detail/throw_error.hpp>
#include <boost/optional.hpp>
#include <boost/type_traits/decay.hpp>
// Then what it has to be included by.
#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/process/v2/process.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/fd.hpp"
#include "harness/kernel/process/output.hpp"
#include "harness/kernel/process/process.hpp"

namespace plumbline::kernel {

/// Private to this folder: a program under way. The handlers share it, for they may outlive the coroutine by
/// a turn of the loop.
class Running : public std::enable_shared_from_this<Running> {
 public:
  /// Starts `command`; what it writes is read from now on. It is owned until it is disowned (owned.hpp).
  /// Throws Error.
  static std::shared_ptr<Running> start(const boost::asio::any_io_executor& executor, const Command& command);

  /// Of `ends` the second, where there is one, is that of its standard error.
  Running(const boost::asio::any_io_executor& executor, pid_t pid, std::vector<Fd> ends);

  pid_t pid() const noexcept { return pid_; }
  void end_after(std::chrono::milliseconds timeout);
  /// Done when it has ended: its exit status, 128+N for signal N.
  boost::asio::awaitable<int> wait();
  /// After its end: what it wrote and nobody has read yet. No more than that, for something in the background
  /// may write on.
  void drain();

  bool timed_out() const noexcept { return timed_out_; }
  std::string output() const { return outputs_.front().text(); }
  /// Of a command with `errors_apart`; else empty.
  std::string errors() const { return outputs_.size() > 1 ? outputs_.back().text() : std::string(); }
  /// Empty: everything that held its other end has ended.
  Fd take_output() { return outputs_.front().take(); }
  Fd take_errors() { return outputs_.size() > 1 ? outputs_.back().take() : Fd(); }
  /// What went wrong in a handler.
  void rethrow() const;
  /// Nobody waits for it any more: it is killed with its descendants, unless it has ended, and reaped.
  void abandon() noexcept;

 private:
  static constexpr std::size_t kTurn = std::size_t{256} * 1024;

  void read_on();
  void read_on(Output& output);
  void time_out();
  void end() noexcept;

  pid_t pid_;
  boost::process::v2::process_handle process_;
  std::list<Output> outputs_;  // handlers refer to them
  boost::asio::steady_timer timer_;
  bool timed_out_ = false;
  bool reaped_ = false;
  std::exception_ptr problem_;
};

}  // namespace plumbline::kernel
