#include "harness/cli/engine_trials.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "harness/base/text.hpp"
#include "harness/kernel/netns/capabilities.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/network/discovery/locate.hpp"
#include "harness/network/engine_api/engine_api.hpp"
#include "harness/network/setup/engine/engine.hpp"

namespace plumbline::cli {
namespace {

using Engine = network::EngineSetup::Engine;

constexpr std::chrono::seconds kAnswersWithin{3};

/// Runs `work` to its end. Throws what it throws.
template <class T>
T wait_for(boost::asio::awaitable<T> work) {
  boost::asio::io_context loop{1};
  std::exception_ptr problem;
  std::optional<T> result;
  boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& thrown, T value) {
    problem = thrown;
    result.emplace(std::move(value));
  });
  loop.run();
  if (problem) std::rethrow_exception(problem);
  return std::move(result).value();
}

Trial live_privileges() {
  const std::vector<std::string> missing = kernel::missing_capabilities();
  if (missing.empty()) return {"live host", Finding::ok, "discover and validate may look into it", ""};
  return {"live host", Finding::absent,
          fmt::format("discover and validate need {}, which this user lacks", fmt::join(missing, ", ")),
          "for these two run as root"};
}

std::string text_of(const boost::json::value& answer, std::string_view key) {
  const boost::json::object* object = answer.if_object();
  const boost::json::value* found = object == nullptr ? nullptr : object->if_contains(key);
  const boost::json::string* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? "of no version that it tells" : printable(std::string_view(*text));
}

Trial socket(const std::string& name, const std::string& path) {
  const network::EngineApi api(path, kAnswersWithin);
  try {
    const boost::json::value answer = wait_for(api.get("/version"));
    return {name, Finding::ok,
            fmt::format("{} answers: version {}, API {}", printable(path), text_of(answer, "Version"),
                        text_of(answer, "ApiVersion")),
            ""};
  } catch (const Error& error) {
    // Not to have the engine is nothing that wants mending.
    const bool none = error.error_number() == ENOENT || error.error_number() == ENOTDIR;
    if (none) return {name, Finding::absent, fmt::format("no engine at {}", printable(path)), ""};
    return {name, Finding::absent, error.what(), error.remedy()};
  }
}

std::string version_of(const char* program) {
  kernel::Command command;
  command.argv = {program, "--version"};
  command.timeout = kAnswersWithin;
  try {
    const kernel::Ended ended = wait_for(kernel::run(std::move(command)));
    const std::vector<std::string> lines = printable_lines(ended.output);
    if (ended.status == 0 && !lines.empty()) return lines.front();
  } catch (const Error& error) {
    return error.what();
  }
  return fmt::format("{} does not tell its version", program);
}

Trial runtime(Engine engine, const char* daemon) {
  const char* path = std::getenv("PATH");
  const std::string name = fmt::format("setup {}", network::engine_name(engine));
  const auto missing = network::missing_for(engine, path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
  if (!missing) return {name, Finding::ok, version_of(daemon), ""};
  constexpr std::string_view kRemedy = ": apt-get install ";
  const std::size_t end = missing->rfind(kRemedy);
  const std::string what = "its scenarios are skipped: " + missing->substr(0, end);
  return {name, Finding::absent, what, end == std::string::npos ? "" : missing->substr(end + 2)};
}

Trial plugins() {
  const std::string name = "setup cni";
  for (const char* folder : {"/usr/lib/cni", "/opt/cni/bin"}) {
    const std::string bridge = fmt::format("{}/bridge", folder);
    if (::access(bridge.c_str(), X_OK) == 0)
      return {name, Finding::ok, fmt::format("plugins in {}", folder), ""};
  }
  return {name, Finding::absent, "its scenarios are skipped: no plugins in /usr/lib/cni or /opt/cni/bin",
          "apt-get install containernetworking-plugins"};
}

}  // namespace

std::vector<Trial> look_at_live_host() {
  const network::EngineSockets sockets = network::default_sockets();
  return {live_privileges(), socket("docker", sockets.docker), socket("podman", sockets.podman)};
}

std::vector<Trial> look_for_runtimes() {
  return {runtime(Engine::docker, "dockerd"), runtime(Engine::podman, "podman"), plugins()};
}

std::vector<Trial> untried_runtimes() {
  std::vector<Trial> trials;
  for (const char* name : {"setup docker", "setup podman", "setup cni"}) {
    trials.push_back({name, Finding::untried, "namespaces are needed to try it", ""});
  }
  return trials;
}

}  // namespace plumbline::cli
