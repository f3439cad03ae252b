#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <utility>

namespace plumbline::engine {

/// Lets so many through in a second, evenly.
class Pace {
 public:
  /// The executor's context must outlive this. `per_second` 0: all, at once.
  Pace(boost::asio::any_io_executor executor, unsigned per_second)
      : executor_(std::move(executor)), per_second_(per_second) {}

  boost::asio::awaitable<void> turn();

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::any_io_executor executor_;
  unsigned per_second_;
  Clock::time_point next_;
};

}  // namespace plumbline::engine
