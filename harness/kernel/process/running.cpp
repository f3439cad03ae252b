#include "harness/kernel/process/running.hpp"

#include <sys/wait.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/kernel/process/launch.hpp"
#include "harness/kernel/process/owned.hpp"

namespace plumbline::kernel {
namespace {

namespace asio = boost::asio;

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

std::shared_ptr<Running> attach(const asio::any_io_executor& executor, pid_t pid, std::vector<Fd> ends) {
  own(pid);
  try {
    return std::make_shared<Running>(executor, pid, std::move(ends));
  } catch (const boost::system::system_error& error) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    disown(pid);
    throw Error::from_errno(error.code().value(), "watching a program");
  }
}

}  // namespace

std::shared_ptr<Running> Running::start(const asio::any_io_executor& executor, const Command& command) {
  const Fd input = command.input.empty() ? Fd() : file_holding(command.input);
  std::vector<Fd> ends;
  Pipe output = make_pipe();
  ends.push_back(std::move(output.read));
  Pipe errors;
  if (command.errors_apart) {
    errors = make_pipe();
    ends.push_back(std::move(errors.read));
  }
  const Fd& errors_end = errors.write ? errors.write : output.write;
  const pid_t pid = launch(command, {input.get(), output.write.get(), errors_end.get()});
  output.write.reset();
  errors.write.reset();
  std::shared_ptr<Running> running = attach(executor, pid, std::move(ends));
  running->read_on();
  return running;
}

Running::Running(const asio::any_io_executor& executor, pid_t pid, std::vector<Fd> ends)
    : pid_(pid), process_(executor, pid), timer_(executor) {
  for (Fd& end : ends) outputs_.emplace_back(executor, std::move(end));
}

void Running::read_on() {
  for (Output& output : outputs_) read_on(output);
}

void Running::read_on(Output& output) {
  output.end().async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this(), &output](const boost::system::error_code& error) {
                            if (!error && output.read(kTurn)) self->read_on(output);
                          });
}

void Running::end_after(std::chrono::milliseconds timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->time_out();
  });
}

asio::awaitable<int> Running::wait() {
  const int status = co_await process_.async_wait(asio::use_awaitable);
  reaped_ = true;
  co_return status_of(status);
}

void Running::drain() {
  timer_.cancel();
  for (Output& output : outputs_) output.drain();
}

void Running::rethrow() const {
  if (problem_) std::rethrow_exception(problem_);
}

void Running::abandon() noexcept {
  timer_.cancel();
  for (Output& output : outputs_) output.close();
  if (reaped_ || state_of(pid_) == State::reaped) return;
  end();
  ::waitpid(pid_, nullptr, 0);
  try {
    reap_orphans();
  } catch (const std::exception&) {  // they stay zombies until the next program ends
  }
}

void Running::time_out() {
  // The loop may have been busy: what has ended by itself has ended in time. drain() comes too late for a
  // timer that is due in the same turn.
  if (reaped_ || state_of(pid_) != State::running) return;
  timed_out_ = true;
  end();
}

void Running::end() noexcept {
  try {
    end_tree(pid_);
  } catch (...) {
    problem_ = std::current_exception();
  }
}

}  // namespace plumbline::kernel
