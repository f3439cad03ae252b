#include "harness/engine/check/pace.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace plumbline::engine {

boost::asio::awaitable<void> Pace::turn() {
  if (per_second_ == 0) co_return;
  const Clock::time_point now = Clock::now();
  const Clock::time_point mine = std::max(now, next_);
  next_ = mine + std::chrono::duration_cast<Clock::duration>(std::chrono::seconds(1)) / per_second_;
  if (mine == now) co_return;
  boost::asio::steady_timer wait(executor_, mine);
  co_await wait.async_wait(boost::asio::use_awaitable);
}

}  // namespace plumbline::engine
