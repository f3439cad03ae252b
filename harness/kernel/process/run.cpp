#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "harness/base/scope_exit.hpp"
#include "harness/kernel/process/owned.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/kernel/process/running.hpp"

namespace plumbline::kernel {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

}  // namespace

asio::awaitable<Ended> run(Command command) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const Clock::time_point start = Clock::now();
  const std::shared_ptr<Running> running = Running::start(executor, command);
  const ScopeExit no_longer([&running] { disown(running->pid()); });
  const ScopeExit abandon([&running] { running->abandon(); });
  running->end_after(command.timeout);
  Ended ended;
  ended.status = co_await running->wait();
  ended.duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  running->drain();
  running->rethrow();
  ended.timed_out = running->timed_out();
  ended.output = running->output();
  ended.output_end = running->take_output();
  ended.errors = running->errors();
  ended.errors_end = running->take_errors();
  reap_orphans();
  co_return ended;
}

}  // namespace plumbline::kernel
