#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "harness/kernel/process/process.hpp"

/// For tests: an event loop for one program.
namespace plumbline::kernel::testing {

inline Ended run_now(Command command) {
  boost::asio::io_context loop{1};
  std::optional<Ended> result;
  std::exception_ptr problem;
  boost::asio::co_spawn(loop, run(std::move(command)), [&](const std::exception_ptr& error, Ended ended) {
    problem = error;
    result = std::move(ended);
  });
  loop.run();
  if (problem) std::rethrow_exception(problem);
  return std::move(result).value();
}

inline Command shell(const std::string& text) {
  Command command;
  command.argv = {"/bin/sh", "-c", text};
  return command;
}

}  // namespace plumbline::kernel::testing
