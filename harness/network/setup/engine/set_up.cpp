#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/engine_api/engine_api.hpp"
#include "harness/network/setup/engine/await_daemon.hpp"
#include "harness/network/setup/engine/bodies.hpp"
#include "harness/network/setup/engine/daemon.hpp"
#include "harness/network/setup/engine/engine.hpp"
#include "harness/network/setup/engine/image.hpp"
#include "harness/network/setup/engine/own_files.hpp"
#include "harness/network/setup/engine/private_ground.hpp"

namespace plumbline::network {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

/// By when a daemon that answers no more is seen to have ended.
constexpr std::chrono::milliseconds kEndsSoon{1000};

std::string without_busybox(EngineSetup::Engine engine) {
  return fmt::format("{} containers need a static busybox, which is not here: apt-get install busybox-static",
                     engine_name(engine));
}

/// What is being made, so that what the engine says of it gets its place in the spec.
struct Doing {
  std::string where;
  std::string what;                                   ///< "network blue"; empty: the setup itself
  const EngineSetup::Container* container = nullptr;  ///< that is being started
};

asio::awaitable<void> make_image(const EngineApi& api, std::string busybox) {
  std::string tar = image_tar(busybox);
  std::string path = image_target();
  co_await api.post_tar(std::move(path), std::move(tar));
}

asio::awaitable<void> make_network(const EngineApi& api, const EngineSetup::Network& network, Doing& doing) {
  doing = {network.where, "network " + network.name, nullptr};
  json::value body = network_body(network);
  std::string path = network_target();
  co_await api.post(std::move(path), std::move(body));
}

asio::awaitable<void> make_container(const EngineApi& api, const EngineSetup& setup,
                                     const EngineSetup::Container& container, Doing& doing) {
  const std::string what = "container " + container.name;
  doing = {container.where, what, nullptr};
  std::string path = container_target(container.name);
  json::value body = container_body(container, setup.engine);
  co_await api.post(std::move(path), std::move(body));
  for (std::size_t i = 1; i < container.attachments.size(); ++i) {
    const EngineSetup::Attachment& each = container.attachments[i];
    doing.where = each.where;
    path = join_target(each.network);
    body = join_body(container.name, each);
    co_await api.post(std::move(path), std::move(body));
  }
  doing = {container.where, what, &container};
  path = start_target(container.name);
  co_await api.post(std::move(path));
}

/// Whether `text` names the port of the host: ":8080", and no digit behind it.
bool names_port(std::string_view text, std::uint16_t port) {
  const std::string word = fmt::format(":{}", port);
  const std::size_t found = text.find(word);
  if (found == std::string_view::npos) return false;
  const std::size_t behind = found + word.size();
  return behind == text.size() || text[behind] < '0' || text[behind] > '9';
}

/// The setup's own place is what is left where nothing nearer is known.
std::string place_of(const EngineSetup& setup, const Doing& doing, std::string_view message) {
  if (doing.container != nullptr) {
    for (const EngineSetup::Publish& each : doing.container->publish) {
      if (!each.where.empty() && names_port(message, each.host_port)) return each.where;
    }
  }
  return doing.where.empty() ? setup.where : doing.where;
}

/// What its resolv.conf says, from inside.
std::vector<IpAddress> read_resolvers(int pid) {
  std::vector<IpAddress> resolvers;
  std::ifstream file(fmt::format("/proc/{}/root/etc/resolv.conf", pid));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    if (!(words >> key >> value) || key != "nameserver") continue;
    if (const auto address = IpAddress::parse(value)) resolvers.push_back(*address);
  }
  return resolvers;
}

/// Of a container.
struct Inspected {
  int pid = 0;        ///< 0: it does not run
  std::string netns;  ///< a path; of one that runs
};

asio::awaitable<Inspected> inspect(const EngineApi& api, std::string name) {
  std::string path = inspect_target(name);
  const json::value answer = co_await api.get(std::move(path));
  Inspected inspected;
  json::error_code problem;
  const json::value* pid = answer.find_pointer("/State/Pid", problem);
  if (pid != nullptr && pid->is_int64()) inspected.pid = static_cast<int>(pid->as_int64());
  inspected.netns = fmt::format("/proc/{}/ns/net", inspected.pid);
  co_return inspected;
}

/// Addresses that checks go by: on another network they would be judged without anybody noticing.
void require_addresses(const EngineSetup& setup, const Topology& found, Doing& doing) {
  for (const EngineSetup::Container& container : setup.containers) {
    std::vector<std::string> held;
    for (const Interface& interface : found.find(container.name)->interfaces) {
      if (interface.kind == LinkKind::loopback) continue;
      for (const InterfaceAddress& each : interface.addresses) held.push_back(each.address.to_string());
    }
    for (const EngineSetup::Attachment& attachment : container.attachments) {
      doing = {attachment.where, {}, nullptr};
      for (const IpAddress& wanted : attachment.addresses) {
        if (std::ranges::find(held, wanted.to_string()) != held.end()) continue;
        throw Error(fmt::format("container {} did not get the address {}; it has {}", container.name,
                                wanted.to_string(), fmt::join(held, ", ")),
                    ErrorKind::setup)
            .with_remedy(
                "say what the engine gives it: containers of the default network get addresses in the "
                "order in which they are listed");
      }
    }
  }
}

/// The container is a node, with what its resolv.conf says.
void become(const std::string& name, const Inspected& inspected, ScriptHost& host, Topology& declared) {
  host.network().add(name, kernel::Netns::open(inspected.netns), LiveNetwork::Naming::named);
  if (Node* node = declared.find(name)) node->resolvers = read_resolvers(inspected.pid);
}

/// What the container is now. Absent: the engine does not answer any more.
asio::awaitable<std::optional<Inspected>> look_up(const EngineApi& api, std::string name) {
  try {
    co_return co_await inspect(api, std::move(name));
  } catch (const EngineRefusal& refusal) {
    if (refusal.status() != 404) throw;
    co_return Inspected{};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::environment) throw;
    co_return std::nullopt;
  }
}

asio::awaitable<void> make_all(const EngineSetup& setup, ScriptHost& host, Topology& declared,
                               std::string busybox, Doing& doing, StartedDaemon& started) {
  doing.where = setup.daemon_where;
  started = co_await start_daemon(setup, host);
  doing.where.clear();
  const EngineApi api(started.socket);
  co_await make_image(api, std::move(busybox));
  for (const EngineSetup::Network& network : setup.networks) co_await make_network(api, network, doing);
  for (const EngineSetup::Container& container : setup.containers) {
    co_await make_container(api, setup, container, doing);
    const Inspected inspected = co_await inspect(api, container.name);
    if (inspected.pid <= 0) throw Error("it was started, but does not run", ErrorKind::setup);
    become(container.name, inspected, host, declared);
  }
  doing = {};
  host.network().adopt_named();  // what the engine has named there as well is no node of its own
  host.settle();
  require_addresses(setup, discover(host.network(), host.world()), doing);
}

}  // namespace

std::optional<std::string> missing_for(EngineSetup::Engine engine, const std::string& path) {
  if (auto refused = engines_refused()) return refused;
  EngineSetup setup;
  setup.engine = engine;
  if (auto missing = missing_programs(setup, path)) return missing;
  if (!static_busybox(path)) return without_busybox(engine);
  return std::nullopt;
}

asio::awaitable<std::optional<std::string>> EngineRuntime::set_up(ScriptHost& host,
                                                                  Topology& declared) const {
  if (auto refused = engines_refused()) co_return refused;
  const std::string path = host.environment().at("PATH");
  if (auto missing = missing_programs(setup_, path)) co_return missing;
  std::optional<std::string> busybox = static_busybox(path);
  if (!busybox) co_return without_busybox(setup_.engine);
  host.show_devices();  // before its cgroups are made read-only, which are another view's then
  keep_engines_in(host.world().host()->resolvers);
  hide_machine_settings();
  Doing doing;
  StartedDaemon started;
  std::optional<Error> problem;
  bool answered = false;
  try {
    co_await make_all(setup_, host, declared, *std::move(busybox), doing, started);
    co_return std::nullopt;
  } catch (const EngineRefusal& refusal) {
    problem = refusal;
    answered = true;
  } catch (const Error& error) {
    problem = error;
  }
  const std::string place = place_of(setup_, doing, problem->what());
  if (started.daemon != nullptr && !answered) {
    std::string engine = engine_name(setup_.engine);
    Error first = *problem;
    problem = co_await with_end_of(std::move(engine), *started.daemon, std::move(first),
                                   Deadline::after(kEndsSoon));
  }
  const Error of = doing.what.empty() ? *problem : problem->within(doing.what);
  const Error within = of.within(fmt::format("{}: {}", place, engine_name(setup_.engine)));
  throw problem->kind() == ErrorKind::environment ? within.with_kind(ErrorKind::setup) : within;
}

asio::awaitable<void> EngineRuntime::follow(ScriptHost& host, Topology& declared) const {
  constexpr std::string_view scheme = "unix://";
  const char* variable = setup_.engine == EngineSetup::Engine::docker ? "DOCKER_HOST" : "CONTAINER_HOST";
  const EngineApi api(host.environment().at(variable).substr(scheme.size()));
  LiveNetwork& network = host.network();
  std::map<std::string, Inspected> now;
  for (const EngineSetup::Container& container : setup_.containers) {
    const std::optional<Inspected> found = co_await look_up(api, container.name);
    const auto node = network.nodes().find(container.name);
    const bool known = node != network.nodes().end();
    if (!found) {  // nobody to ask: a namespace without a process is no container any more
      if (known && !kernel::is_lived_in(node->second)) network.remove(container.name);
      continue;
    }
    const bool runs = found->pid > 0;
    if (known && runs && kernel::Netns::open(found->netns).inode() == node->second.inode()) continue;
    // All of them first: containers may have exchanged their names.
    if (known) network.remove(container.name);
    if (runs) now.emplace(container.name, *found);
  }
  for (const auto& [name, found] : now) become(name, found, host, declared);
  network.adopt_named();
}

}  // namespace plumbline::network
