#include "harness/cli/socket_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/network/engine_api/engine_api.hpp"

namespace plumbline::cli {
namespace {

constexpr std::chrono::seconds kAnswersWithin{5};

bool is_absent(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR || error_number == ECONNREFUSED;
}

/// What is there and does not answer as it should is this machine's, as is a user who may not ask it.
Error told(const Error& error) {
  return error.kind() == ErrorKind::setup ? error.with_kind(ErrorKind::environment) : error;
}

void require_answer(const char* option, const std::string& socket) {
  const network::EngineApi api(socket, kAnswersWithin);
  boost::asio::io_context loop{1};
  std::exception_ptr problem;
  boost::asio::co_spawn(
      loop, api.get("/_ping"),
      [&](const std::exception_ptr& thrown, const boost::json::value& /*answer*/) { problem = thrown; });
  loop.run();
  if (!problem) return;
  try {
    std::rethrow_exception(problem);
  } catch (const network::EngineRefusal& refusal) {
    throw told(refusal.within(fmt::format("{}: container engine at {}", option, socket)));
  } catch (const Error& error) {
    const Error within = error.within(option);
    throw is_absent(error.error_number()) ? within.with_kind(ErrorKind::usage) : told(within);
  }
}

void declare_one(CLI::App& command, const char* option, std::string& socket, bool& given, const char* about) {
  command.add_option(option, socket, about)
      ->each([&given](const std::string&) { given = true; })
      ->type_name("SOCKET")
      ->capture_default_str();
}

}  // namespace

void declare(CLI::App& command, SocketOptions& options) {
  declare_one(command, "--docker", options.sockets.docker, options.docker_given,
              "Where Docker's API listens; empty: it is not asked");
  declare_one(command, "--podman", options.sockets.podman, options.podman_given,
              "Where Podman's API listens; empty: it is not asked");
}

void require_answers(const SocketOptions& options) {
  if (options.docker_given && !options.sockets.docker.empty())
    require_answer("--docker", options.sockets.docker);
  if (options.podman_given && !options.sockets.podman.empty())
    require_answer("--podman", options.sockets.podman);
}

}  // namespace plumbline::cli
