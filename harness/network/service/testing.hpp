#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/netns/sandbox.hpp"

/// For tests only: nodes made with the machine's own tools, which share no code with what is tested.
namespace plumbline::testing {

struct ToolResult {
  int status = -1;
  std::string output;
};

/// Runs a shell command inside `netns`, its standard error with its output.
inline ToolResult run_tool(const kernel::Netns& netns, const std::string& command) {
  return netns.run([&command] {
    ToolResult result;
    FILE* pipe = ::popen(("{ " + command + " ; } 2>&1").c_str(), "r");
    if (pipe == nullptr) return result;
    std::array<char, 4096> buffer{};
    std::size_t size = 0;
    while ((size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0)
      result.output.append(buffer.data(), size);
    const int status = ::pclose(pipe);
    if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
    return result;
  });
}

/// The same, for commands that must succeed.
inline void must_run(const kernel::Netns& netns, const std::string& command) {
  const ToolResult result = run_tool(netns, command);
  if (result.status != 0) throw std::runtime_error(command + ": " + result.output);
}

/// A node alone, its loopback up.
inline kernel::Netns make_node() {
  kernel::Netns node = kernel::Netns::create();
  must_run(node, "ip link set lo up");
  return node;
}

/// Runs `action` in a thread of its own while the event loop runs here, until it has ended.
template <class Action>
void run_beside(boost::asio::io_context& context, Action action) {
  std::exception_ptr problem;
  std::thread thread([&] {
    try {
      action();
    } catch (...) {
      problem = std::current_exception();
    }
    boost::asio::post(context, [&context] { context.stop(); });
  });
  context.restart();
  auto guard = boost::asio::make_work_guard(context);
  context.run();
  thread.join();
  if (problem) std::rethrow_exception(problem);
}

}  // namespace plumbline::testing
