#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "harness/network/service/service.hpp"
#include "harness/network/service/testing.hpp"
#include "harness/traffic/probe/probe.hpp"

/// For tests only.
namespace plumbline::testing {

/// Two nodes with a cable: `here` 192.0.2.1/24 and 2001:db8::1/64, `there` .2 and ::2. Routes lead from
/// `here` by `there` to everything else; `there` has 203.0.113.80 and 2001:db8:ffff::80 too.
class Cable {
 public:
  Cable() : here_(kernel::Netns::create()), there_(kernel::Netns::create()) {
    here_.bind(std::string(kernel::kNetnsDirectory) + "/here");
    there_.bind(std::string(kernel::kNetnsDirectory) + "/there");
    must_run(here_, R"(set -e
ip link add cable netns here type veth peer name cable netns there
for n in here there; do ip -n $n link set lo up; ip -n $n link set cable up; done
ip -n here addr add 192.0.2.1/24 dev cable
ip -n there addr add 192.0.2.2/24 dev cable
ip -n here addr add 2001:db8::1/64 dev cable nodad
ip -n there addr add 2001:db8::2/64 dev cable nodad
ip -n there addr add 203.0.113.80/32 dev lo
ip -n there addr add 2001:db8:ffff::80/128 dev lo nodad
ip -n here route add 203.0.113.0/24 via 192.0.2.2
ip -n here route add 2001:db8:ffff::/48 via 2001:db8::2)");
    // Until the carrier has been noticed, packets are thrown away. Each question costs a process, so this
    // neither spins nor goes on for ever.
    for (int i = 0; i < 2000; ++i) {
      const std::string up =
          run_tool(here_, "ip -n here -br link show cable; ip -n there -br link show cable").output;
      if (up.find(" UP ") != up.rfind(" UP ")) return;
    }
    throw std::runtime_error("the test's veth pair got no carrier");
  }
  ~Cable() {
    kernel::Netns::unbind(std::string(kernel::kNetnsDirectory) + "/here");
    kernel::Netns::unbind(std::string(kernel::kNetnsDirectory) + "/there");
  }
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;

  const kernel::Netns& here() const { return here_; }
  const kernel::Netns& there() const { return there_; }

 private:
  kernel::Netns here_;
  kernel::Netns there_;
};

/// Runs the event loop until `task` has ended.
template <class T>
T run_task(boost::asio::io_context& context, boost::asio::awaitable<T> task) {
  std::optional<T> result;
  std::exception_ptr problem;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T value) {
    problem = thrown;
    if (!thrown) result = std::move(value);
    context.stop();
  });
  context.restart();
  context.run();
  if (problem) std::rethrow_exception(problem);
  return std::move(result).value();
}

}  // namespace plumbline::testing
