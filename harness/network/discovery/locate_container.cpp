#include "harness/network/discovery/locate_container.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <limits>
#include <optional>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/nearest.hpp"
#include "harness/base/text.hpp"
#include "harness/network/discovery/json_read.hpp"
#include "harness/network/engine_api/engine_api.hpp"

namespace plumbline::network {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

constexpr std::chrono::seconds kAnswersWithin{10};

/// As the engines take them: it becomes a part of a request's path.
void require_name(Locator::Kind engine, const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (!name.empty() && name.find_first_not_of(kAllowed) == std::string::npos && name.front() != '.') return;
  throw Error(fmt::format("'{}' is no name of a {} container", printable(name), to_text(engine)),
              ErrorKind::usage);
}

/// Absent: there is no such container.
awaitable<std::optional<json::value>> inspect(const EngineApi& api, Locator::Kind engine,
                                              const std::string& name) {
  // Without a version in its path: the oldest that engines still speak differs from one to the other.
  std::string target = fmt::format("/containers/{}/json", name);
  try {
    co_return co_await api.get(std::move(target));
  } catch (const EngineRefusal& refusal) {
    if (refusal.status() != 404)
      throw refusal.within(fmt::format("{} at {}", to_text(engine), printable(api.socket())));
  }
  co_return std::nullopt;
}

Error unknown(const json::value& listed, Locator::Kind engine, const std::string& name) {
  std::vector<std::string> names;
  for (const json::value& container : detail::array_at(listed, {})) {
    for (const json::value& each : detail::array_at(container, {"Names"})) {
      const std::string text = detail::text_at(each, {});
      names.push_back(text.substr(text.starts_with('/') ? 1 : 0));
    }
  }
  const std::vector<std::string_view> words(names.begin(), names.end());
  const std::string_view near = nearest(name, words);
  const std::string advice = near.empty() ? "" : fmt::format("; did you mean '{}'?", printable(near));
  return Error(fmt::format("{} knows no container '{}'{}", to_text(engine), name, advice), ErrorKind::usage)
      .with_remedy(fmt::format("{} ps -a lists those that there are", to_text(engine)));
}

/// The engine may count in another pid namespace than ours, as where we are in a container and its socket is
/// mounted there: the process of that number would be anybody's.
void require_same(const Located& found, const std::string& sandbox, const std::string& label) {
  if (sandbox.empty()) return;
  std::optional<kernel::Netns> named;
  try {
    named.emplace(locate_named(sandbox).netns);
  } catch (const Error&) {
    return;  // its name is not to be seen here (another mount namespace): nothing to compare with
  }
  if (named->inode() == found.netns.inode()) return;
  throw Error(fmt::format("{}: process {} lives in another network than {}", label, found.pid, sandbox),
              ErrorKind::environment)
      .with_remedy("run it in the pid namespace of the engine (in a container: --pid=host)");
}

Located running(const json::value& inspected, Locator::Kind engine, const std::string& name) {
  const std::string label = fmt::format("{} container '{}'", to_text(engine), name);
  const std::int64_t pid = detail::number_at(inspected, {"State", "Pid"});
  if (pid <= 0 || pid > std::numeric_limits<pid_t>::max() ||
      !detail::truth_at(inspected, {"State", "Running"})) {
    const std::string state = detail::text_at(inspected, {"State", "Status"});
    throw Error(fmt::format("{} does not run{}", label, state.empty() ? "" : ": it is " + printable(state)),
                ErrorKind::usage)
        .with_remedy(fmt::format("{} start {}", to_text(engine), name));
  }
  try {
    Located found = locate_process(static_cast<pid_t>(pid));
    require_same(found, detail::text_at(inspected, {"NetworkSettings", "SandboxKey"}), label);
    return found;
  } catch (const Error& error) {
    throw error.within(label);
  }
}

}  // namespace

awaitable<Located> locate_container(Locator::Kind engine, std::string socket, std::string name) {
  require_name(engine, name);
  if (socket.empty()) {
    throw Error(fmt::format("it is not known where {} listens", to_text(engine)), ErrorKind::usage);
  }
  const EngineApi api(std::move(socket), kAnswersWithin);
  const std::optional<json::value> inspected = co_await inspect(api, engine, name);
  if (inspected) co_return running(*inspected, engine, name);
  std::string target = "/containers/json?all=1";
  const json::value listed = co_await api.get(std::move(target));
  throw unknown(listed, engine, name);
}

}  // namespace plumbline::network
