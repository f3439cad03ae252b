#include "harness/traffic/probe/recall.hpp"

#include <boost/asio/steady_timer.hpp>

namespace plumbline::traffic {

void Recall::now() {
  if (std::exchange(made_, true)) return;
  if (end_) end_();
}

void Recall::soon(const boost::asio::any_io_executor& executor, std::chrono::milliseconds grace) {
  if (std::exchange(coming_, true)) return;
  const auto timer = std::make_shared<boost::asio::steady_timer>(executor, grace);
  timer->async_wait([timer, weak = weak_from_this()](const boost::system::error_code& error) {
    if (const auto recall = weak.lock(); recall && !error) recall->now();
  });
}

}  // namespace plumbline::traffic
