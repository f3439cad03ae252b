#include "harness/engine/check/pace.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>

namespace plumbline::engine {
namespace {

/// How long `count` take that all come at once.
std::chrono::milliseconds time_of(unsigned per_second, int count) {
  boost::asio::io_context loop;
  Pace pace(loop.get_executor(), per_second);
  const auto one = [&pace]() -> boost::asio::awaitable<void> { co_await pace.turn(); };
  for (int i = 0; i < count; ++i) boost::asio::co_spawn(loop, one(), boost::asio::detached);
  const auto start = std::chrono::steady_clock::now();
  loop.run();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

TEST(Pace, NoMoreThanSoManyComeThroughInASecond) {
  EXPECT_GE(time_of(100, 11), std::chrono::milliseconds(100));
  EXPECT_GE(time_of(20, 3), std::chrono::milliseconds(100));
}

TEST(Pace, TheFirstOneDoesNotWait) {
  EXPECT_LT(time_of(1, 1), std::chrono::milliseconds(500));
}

TEST(Pace, WithoutABoundNobodyWaits) {
  EXPECT_LT(time_of(0, 1000), std::chrono::milliseconds(500));
}

}  // namespace
}  // namespace plumbline::engine
