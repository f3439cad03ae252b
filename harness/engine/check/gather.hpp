#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>
#include <vector>

namespace plumbline::engine {

/// Runs all `tasks` at once and gives their results in the tasks' order. The first exception comes out, after
/// all have ended.
template <class T>
boost::asio::awaitable<std::vector<T>> gather(std::vector<boost::asio::awaitable<T>> tasks) {
  namespace asio = boost::asio;
  if (tasks.empty()) co_return std::vector<T>{};
  const auto executor = co_await asio::this_coro::executor;
  using Started = decltype(asio::co_spawn(executor, std::move(tasks.front()), asio::deferred));
  std::vector<Started> started;
  started.reserve(tasks.size());
  for (auto& task : tasks) started.push_back(asio::co_spawn(executor, std::move(task), asio::deferred));
  auto [order, problems, results] = co_await asio::experimental::make_parallel_group(std::move(started))
                                        .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  for (const std::exception_ptr& problem : problems) {
    if (problem) std::rethrow_exception(problem);
  }
  co_return std::move(results);
}

}  // namespace plumbline::engine
