// Boost.Process 1.81 uses these three without naming them.
#include <boost/asio/detail/throw_error.hpp>
#include <boost/optional.hpp>
#include <boost/type_traits/decay.hpp>
// Then what it has to be included by.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/kernel/process/launch.hpp"
#include "harness/kernel/process/owned.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/kernel/process/tail.hpp"

namespace plumbline::kernel {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr int kRoomInPipe = 1 << 20;  // /proc/sys/fs/pipe-max-size, by default

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "making a pipe");
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  // So that a daemon whose output nobody reads any more is not held up soon. Refused: it has less room.
  ::fcntl(ends[0], F_SETPIPE_SZ, kRoomInPipe);
  return pipe;
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

enum class State : std::uint8_t { running, ended, reaped };

/// Boost reaps a turn of the loop before it says so. From then on the number is anybody's, and that of the
/// group belongs to what the program left running on purpose.
State state_of(pid_t pid) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    return errno == ECHILD ? State::reaped : State::running;
  }
  return info.si_pid == pid ? State::ended : State::running;
}

/// A program under way. The handlers share it, for they may outlive the coroutine by a turn of the loop.
class Running : public std::enable_shared_from_this<Running> {
 public:
  Running(const asio::any_io_executor& executor, pid_t pid, Fd output)
      : pid_(pid), process_(executor, pid), output_(executor, output.get()), timer_(executor) {
    static_cast<void>(output.release());
  }

  void read_on() {
    output_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error && self->read(kTurn)) self->read_on();
                       });
  }

  void end_after(std::chrono::milliseconds timeout) {
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->time_out();
    });
  }

  asio::awaitable<int> wait() {
    const int status = co_await process_.async_wait(asio::use_awaitable);
    reaped_ = true;
    co_return status_of(status);
  }

  /// After its end: what it wrote and nobody has read yet. No more than that, for something in the background
  /// may write on.
  void drain() {
    timer_.cancel();
    int waiting = 0;
    if (::ioctl(output_.native_handle(), FIONREAD, &waiting) == 0) {
      read(static_cast<std::size_t>(waiting));
    }
    if (!ended_ && waiting >= 0) read(1);  // sees the end of the output, where it is the end
  }

  bool timed_out() const noexcept { return timed_out_; }
  std::string output() const { return tail_.text(); }
  Fd take_output() {
    Fd output(output_.release());
    return ended_ ? Fd() : std::move(output);
  }
  /// What went wrong in a handler.
  void rethrow() const {
    if (problem_) std::rethrow_exception(problem_);
  }

  /// Nobody waits for it any more.
  void abandon() noexcept {
    timer_.cancel();
    boost::system::error_code ignored;
    output_.close(ignored);
    if (reaped_ || state_of(pid_) == State::reaped) return;
    end();
    ::waitpid(pid_, nullptr, 0);
    try {
      reap_orphans();
    } catch (const std::exception&) {  // they stay zombies until the next program ends
    }
  }

 private:
  static constexpr std::size_t kTurn = std::size_t{256} * 1024;

  /// At most `most` bytes of what is there. False: there is no more to come.
  bool read(std::size_t most) {
    std::array<char, 16384> chunk{};
    while (most > 0) {
      const ssize_t got = ::read(output_.native_handle(), chunk.data(), std::min(most, chunk.size()));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno == EAGAIN;
      if (got == 0) {
        ended_ = true;
        return false;
      }
      tail_.append({chunk.data(), static_cast<std::size_t>(got)});
      most -= static_cast<std::size_t>(got);
    }
    return true;
  }

  void time_out() {
    // The loop may have been busy: what has ended by itself has ended in time. drain() comes too late for a
    // timer that is due in the same turn.
    if (reaped_ || state_of(pid_) != State::running) return;
    timed_out_ = true;
    end();
  }

  void end() noexcept {
    try {
      end_tree(pid_);
    } catch (...) {
      problem_ = std::current_exception();
    }
  }

  pid_t pid_;
  boost::process::v2::process_handle process_;
  asio::posix::stream_descriptor output_;
  asio::steady_timer timer_;
  Tail tail_{kLongestOutput};
  bool ended_ = false;  // the output
  bool timed_out_ = false;
  bool reaped_ = false;
  std::exception_ptr problem_;
};

std::shared_ptr<Running> attach(const asio::any_io_executor& executor, pid_t pid, Fd output) {
  own(pid);
  try {
    return std::make_shared<Running>(executor, pid, std::move(output));
  } catch (const boost::system::system_error& error) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw Error::from_errno(error.code().value(), "watching a program");
  }
}

}  // namespace

asio::awaitable<Ended> run(Command command) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const Clock::time_point start = Clock::now();
  Pipe pipe = make_pipe();
  const pid_t pid = launch(command, pipe.write.get());
  pipe.write.reset();
  const ScopeExit no_longer([pid] { disown(pid); });
  const std::shared_ptr<Running> running = attach(executor, pid, std::move(pipe.read));
  const ScopeExit abandon([&running] { running->abandon(); });
  running->read_on();
  running->end_after(command.timeout);
  Ended ended;
  ended.status = co_await running->wait();
  ended.duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  running->drain();
  running->rethrow();
  ended.timed_out = running->timed_out();
  ended.output = running->output();
  ended.output_end = running->take_output();
  reap_orphans();
  co_return ended;
}

}  // namespace plumbline::kernel
