#include "harness/testing/work_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/scope_exit.hpp"

namespace plumbline::testing {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using ::testing::HasSubstr;

/// What a check has in its caller's hands while it waits.
struct Local {
  bool there = true;
  bool left_in_time = false;
  bool resumed = false;
};

awaitable<void> wait_long(WorkLoop& loop, Local& local) {
  const ScopeExit leave([&local] { local.left_in_time = local.there; });
  asio::steady_timer timer(loop.executor(), std::chrono::hours(1));
  co_await timer.async_wait(asio::use_awaitable);
  local.resumed = true;
}

awaitable<void> nothing() {
  co_return;
}

awaitable<void> fail() {
  throw std::runtime_error("refused");
  co_return;
}

std::string error_of(WorkLoop& loop, awaitable<void> work) {
  try {
    loop.run(std::move(work));
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(WorkLoop, EndsWithItsWorkWhateverElseWaits) {
  WorkLoop loop;
  asio::steady_timer server(loop.executor(), std::chrono::hours(1));
  bool served = false;
  server.async_wait([&](const boost::system::error_code&) { served = true; });
  int done = 0;
  const auto one = [&done]() -> awaitable<void> {
    ++done;
    co_return;
  };
  const auto all = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      loop.start(one());
      co_await asio::post(loop.executor(), asio::use_awaitable);
    }
  };
  loop.run(all());
  loop.run(all());
  EXPECT_EQ(done, 6);
  EXPECT_FALSE(served);
}

TEST(WorkLoop, AnErrorOfTheOnlyWorkLeavesItUsable) {
  WorkLoop loop;
  EXPECT_EQ(error_of(loop, fail()), "refused");
  EXPECT_EQ(error_of(loop, fail()), "refused");
  EXPECT_NO_THROW(loop.require_alive());
  EXPECT_EQ(error_of(loop, nothing()), "no error");
}

TEST(WorkLoop, WorkThatAHandlersErrorLeavesSuspendedIsDestroyedWhileItsCallerIsThere) {
  WorkLoop loop;
  // Outlives that as what a stage holds does.
  auto tap = std::make_unique<asio::steady_timer>(loop.executor(), std::chrono::hours(1));
  bool tapped = false;
  tap->async_wait([&](const boost::system::error_code&) { tapped = true; });
  Local local;
  const auto work = [&]() -> awaitable<void> {
    asio::post(loop.executor(), [] { throw std::runtime_error("the tap is broken"); });
    co_await wait_long(loop, local);
  };
  EXPECT_EQ(error_of(loop, work()), "the tap is broken");
  EXPECT_TRUE(local.left_in_time);
  local.there = false;

  EXPECT_THAT(error_of(loop, nothing()),
              HasSubstr("cannot be used any more, for watching it went wrong: the tap is broken"));
  EXPECT_THROW(loop.require_alive(), Error);
  tap.reset();
  EXPECT_FALSE(local.resumed);
  EXPECT_FALSE(tapped);
}

TEST(WorkLoop, SoIsWhatWorkThatFailsHasStarted) {
  WorkLoop loop;
  Local local;
  const auto start = [&]() -> awaitable<void> {
    loop.start(wait_long(loop, local));
    co_await asio::post(loop.executor(), asio::use_awaitable);
    throw std::runtime_error("no more");
  };
  EXPECT_EQ(error_of(loop, start()), "no more");
  EXPECT_TRUE(local.left_in_time);
  EXPECT_THROW(loop.require_alive(), Error);
}

}  // namespace
}  // namespace plumbline::testing
