#include "harness/cli/look.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace plumbline::cli {

network::HostView look(network::HostSources sources) {
  boost::asio::io_context loop{1};
  std::exception_ptr problem;
  std::optional<network::HostView> view;
  auto into = [](network::HostSources where,
                 std::optional<network::HostView>& place) -> boost::asio::awaitable<void> {
    place.emplace(co_await network::discover_host(std::move(where)));
  };
  boost::asio::co_spawn(loop, into(std::move(sources), view),
                        [&](const std::exception_ptr& thrown) { problem = thrown; });
  loop.run();
  if (problem) std::rethrow_exception(problem);
  return std::move(view).value();
}

}  // namespace plumbline::cli
