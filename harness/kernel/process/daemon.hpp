#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "harness/kernel/process/process.hpp"

namespace plumbline::kernel {

/// A program that runs beside us, of which nobody awaits the end: a daemon in the foreground. It is started
/// as `run` starts one, and killed with all its descendants when this ends, if it has not ended by then.
class Daemon {
 public:
  /// Starts it; `command.timeout` does not count. Its output is read as long as the loop runs. `executor`'s
  /// context must outlive this. Throws as `run` does.
  static Daemon start(const boost::asio::any_io_executor& executor, const Command& command);

  Daemon(Daemon&&) noexcept;
  Daemon& operator=(Daemon&&) = delete;
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  pid_t pid() const noexcept;
  /// Its exit status, 128+N for signal N, once the loop has noticed that it ended; absent: it runs.
  std::optional<int> ended() const;
  /// `action` is called by the loop when it ends, once; at once where it has ended. A later one takes the
  /// place of an earlier; an empty one: nobody is told.
  void on_end(std::function<void()> action);
  /// What it has said until now, as in Ended.
  std::string output() const;

 private:
  struct State;
  explicit Daemon(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace plumbline::kernel
