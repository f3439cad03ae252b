#include "harness/kernel/process/daemon.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "harness/kernel/process/owned.hpp"
#include "harness/kernel/process/running.hpp"

namespace plumbline::kernel {

struct Daemon::State {
  std::shared_ptr<Running> running;
  std::optional<int> status;
  std::function<void()> on_end;
};

namespace {

/// Keeps what it waits for until then, also where nobody else does any more.
boost::asio::awaitable<int> wait(std::shared_ptr<Running> running) {
  co_return co_await running->wait();
}

}  // namespace

Daemon Daemon::start(const boost::asio::any_io_executor& executor, const Command& command) {
  auto state = std::make_shared<State>();
  state->running = Running::start(executor, command);
  // By a weak reference: who is told must not be told any more when this is gone.
  const std::weak_ptr<State> watched = state;
  boost::asio::co_spawn(executor, wait(state->running),
                        [watched](const std::exception_ptr& problem, int status) {
                          const auto there = watched.lock();
                          if (problem || !there) return;
                          there->running->drain();
                          there->status = status;
                          if (const auto action = std::exchange(there->on_end, {})) action();
                        });
  return Daemon(std::move(state));
}

Daemon::Daemon(std::shared_ptr<State> state) : state_(std::move(state)) {}
Daemon::Daemon(Daemon&&) noexcept = default;

Daemon::~Daemon() {
  if (!state_) return;
  if (!state_->status) state_->running->abandon();
  disown(state_->running->pid());
}

pid_t Daemon::pid() const noexcept {
  return state_->running->pid();
}

std::optional<int> Daemon::ended() const {
  return state_->status;
}

void Daemon::on_end(std::function<void()> action) {
  if (state_->status && action) return action();
  state_->on_end = std::move(action);
}

std::string Daemon::output() const {
  return state_->running->output();
}

}  // namespace plumbline::kernel
