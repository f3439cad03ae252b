#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/network/discovery/json_read.hpp"
#include "harness/network/discovery/source.hpp"
#include "harness/network/engine_api/engine_api.hpp"

// Containers and networks as Docker's API tells them, which Podman's service speaks too.
namespace plumbline::network::detail {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

constexpr std::chrono::seconds kAnswersWithin{5};

std::string label_of(Locator::Kind engine) {
  return engine == Locator::Kind::docker ? "Docker" : "Podman";
}

std::string without_slash(const std::string& name) {
  return name.substr(name.starts_with('/') ? 1 : 0);
}

std::optional<IpAddress> address_at(const json::value& value, std::string_view key) {
  return IpAddress::parse(text_at(value, {key}));
}

NamedNetwork network_of(const json::value& listed, Locator::Kind engine) {
  NamedNetwork network;
  network.owner = to_text(engine);
  network.name = text_at(listed, {"Name"});
  network.driver = text_at(listed, {"Driver"});
  network.internal = truth_at(listed, {"Internal"});
  network.icc = truth_at(listed, {"Options", "com.docker.network.bridge.enable_icc"}, true);
  // Docker's own DNS knows the names of all but the default bridge; Podman's likewise of all but `podman`.
  const bool is_default =
      truth_at(listed, {"Options", "com.docker.network.bridge.default_bridge"}) || network.name == "podman";
  network.names = !is_default && network.name != "host" && network.name != "none";
  for (const json::value& each : array_at(listed, {"IPAM", "Config"})) {
    if (auto subnet = Prefix::parse(text_at(each, {"Subnet"}))) network.subnets.push_back(*subnet);
  }
  return network;
}

std::vector<Membership> memberships_of(const json::value& inspected, Locator::Kind engine) {
  std::vector<Membership> memberships;
  for (const auto& [name, endpoint] : object_at(inspected, {"NetworkSettings", "Networks"})) {
    Membership membership{to_text(engine), std::string(name), {}};
    for (const char* key : {"IPAddress", "GlobalIPv6Address"}) {
      if (const auto address = address_at(endpoint, key)) membership.addresses.push_back(*address);
    }
    memberships.push_back(std::move(membership));
  }
  return memberships;
}

std::uint16_t port_of(std::string_view text) {
  unsigned port = 0;
  if (text.empty() || text.size() > 5) return 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return 0;
    port = port * 10 + static_cast<unsigned>(digit - '0');
  }
  return port > std::numeric_limits<std::uint16_t>::max() ? 0 : static_cast<std::uint16_t>(port);
}

/// "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", …}]
std::vector<PublishedPort> ports_of(const json::value& inspected) {
  std::vector<PublishedPort> ports;
  for (const auto& [key, bindings] : object_at(inspected, {"NetworkSettings", "Ports"})) {
    const std::string_view inner(key.data(), key.size());
    const std::size_t slash = std::min(inner.find('/'), inner.size());
    const std::string_view protocol = slash == inner.size() ? "tcp" : inner.substr(slash + 1);
    if (protocol != "tcp" && protocol != "udp") continue;
    for (const json::value& binding : array_at(bindings, {})) {
      PublishedPort port;
      port.tcp = protocol == "tcp";
      port.inner = port_of(inner.substr(0, slash));
      port.port = port_of(text_at(binding, {"HostPort"}));
      port.address = address_at(binding, "HostIp");
      // Podman says nothing for every address, Docker 0.0.0.0 and, once more, ::.
      if (port.address && port.address->is_unspecified()) {
        if (!port.address->is_v4()) continue;
        port.address.reset();
      }
      if (port.inner != 0 && port.port != 0) ports.push_back(port);
    }
  }
  std::ranges::sort(ports);
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

std::string mode_of(const json::value& inspected) {
  return text_at(inspected, {"HostConfig", "NetworkMode"});
}

/// One engine, asked once.
class Engine {
 public:
  Engine(Locator::Kind kind, std::string socket, Findings& findings)
      : kind_(kind), api_(std::move(socket), kAnswersWithin), findings_(findings) {}

  awaitable<void> look() {
    const std::optional<json::value> listed = co_await ask("/containers/json");
    if (!listed) co_return;
    const std::vector<std::string> ids = ids_of(*listed);
    std::size_t found = 0;
    for (const std::string& id : ids) {
      std::string target = fmt::format("/containers/{}/json", id);
      const std::optional<json::value> inspected = co_await ask(std::move(target));
      if (inspected && add(*inspected, id)) ++found;
      if (gone_) break;
    }
    findings_.looked_at.push_back(fmt::format("{}: {}", place(), counted(found, "running container")));
    if (ids.empty() || gone_) co_return;
    const std::optional<json::value> networks = co_await ask("/networks");
    if (networks) add_networks(*networks);
  }

 private:
  std::string place() const { return fmt::format("{} at {}", label_of(kind_), printable(api_.socket())); }

  /// Absent: it was refused or did not come, and is noted.
  awaitable<std::optional<json::value>> ask(std::string target) {
    try {
      co_return co_await api_.get(std::move(target));
    } catch (const EngineRefusal& refusal) {
      // One that has ended since it was listed.
      if (refusal.status() != 404)
        findings_.notes.push_back({fmt::format("{}: {}", place(), refusal.what()), refusal.remedy()});
    } catch (const Error& error) {
      gone_ = true;
      if (error.error_number() == ENOENT) {
        findings_.looked_at.push_back(fmt::format("{}: no such socket", place()));
      } else {
        findings_.notes.push_back({fmt::format("{}: {}", label_of(kind_), error.what()), error.remedy()});
      }
    }
    co_return std::nullopt;
  }

  std::vector<std::string> ids_of(const json::value& listed) {
    std::vector<std::string> ids;
    if (!listed.is_array()) {
      findings_.notes.push_back({fmt::format("{} gives no list of containers", place()), {}});
    }
    for (const json::value& each : array_at(listed, {})) {
      std::string id = text_at(each, {"Id"});
      // It becomes a part of a request's path.
      const bool is_hex = id.find_first_not_of("0123456789abcdef") == std::string::npos;
      if (id.empty() || !is_hex) continue;
      if (ids.size() == kMostNamespaces) {
        findings_.notes.push_back({fmt::format("{}: only the first {} containers", place(), ids.size()), {}});
        break;
      }
      ids.push_back(std::move(id));
    }
    return ids;
  }

  bool add(const json::value& inspected, const std::string& id) {
    const std::int64_t pid = number_at(inspected, {"State", "Pid"});
    std::string name = without_slash(text_at(inspected, {"Name"}));
    if (name.empty()) name = id.substr(0, 12);
    const std::string label = fmt::format("{} container {}", to_text(kind_), printable(name));
    if (pid <= 0 || pid > std::numeric_limits<pid_t>::max())
      return false;  // it has ended since it was listed
    try {
      Sighting seen{Source::engine, locate_process(static_cast<pid_t>(pid)), {}, false};
      FoundNode& node = seen.node;
      node.name = name;
      node.locator = {kind_, name};
      node.pid = static_cast<pid_t>(pid);
      node.image = text_at(inspected, {"Config", "Image"});
      node.origins = {node.image.empty() ? label
                                         : fmt::format("{} (image {})", label, printable(node.image))};
      // One that has the network of another, or of the host, is a further name for it, and the engine's own
      // DNS does not know it.
      const std::string mode = mode_of(inspected);
      seen.guest = mode.starts_with("container:");
      if (!seen.guest && mode != "host") {
        node.hostnames = {name};
        node.memberships = memberships_of(inspected, kind_);
        node.ports = ports_of(inspected);
      }
      findings_.sightings.push_back(std::move(seen));
      return true;
    } catch (const Error& error) {
      findings_.notes.push_back({fmt::format("{}: {}", label, error.what()), error.remedy()});
      return false;
    }
  }

  void add_networks(const json::value& listed) {
    for (const json::value& each : array_at(listed, {})) {
      NamedNetwork network = network_of(each, kind_);
      if (!network.name.empty()) findings_.networks.push_back(std::move(network));
    }
  }

  Locator::Kind kind_;
  EngineApi api_;
  Findings& findings_;
  bool gone_ = false;  ///< it does not answer any more: nothing further is asked
};

}  // namespace

awaitable<void> look_at_engine(Locator::Kind engine, std::string socket, Findings& findings) {
  if (socket.empty()) co_return;
  Engine asked(engine, std::move(socket), findings);
  co_await asked.look();
}

}  // namespace plumbline::network::detail
