#include "harness/engine/spec/cni.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <system_error>

#include "harness/engine/spec/words.hpp"
#include "harness/network/setup/cni.hpp"

namespace plumbline::spec {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using network::CniPlan;

constexpr std::size_t kLargestConfiguration = std::size_t{1} << 20U;  // bytes

std::string find_configuration(const Value& value, const std::string& spec_file,
                               const std::string& setups_directory) {
  const std::string& text = value.as_text("network");
  if (text.empty() || text.find('\0') != std::string::npos) {
    value.fail("'network' must name a CNI network configuration, a file *.conflist or *.conf");
  }
  std::vector<std::string> tried;
  for (const fs::path& folder : {fs::path(spec_file).parent_path(), fs::path(setups_directory)}) {
    const std::string path = (folder / text).lexically_normal().string();
    std::error_code problem;
    if (fs::is_regular_file(path, problem)) return path;
    tried.push_back(path);
    if (fs::path(text).is_absolute()) break;
  }
  value.fail(fmt::format("there is no CNI network configuration {} (tried {})", in_quotes(text),
                         fmt::join(tried, " and ")));
}

CniPlan::Network read_network(const Value& value, const std::string& spec_file, const LoadOptions& options) {
  CniPlan::Network read;
  read.file = find_configuration(value, spec_file, options.setups_directory);
  std::error_code problem;
  const auto size = fs::file_size(read.file, problem);
  std::ifstream file(read.file);
  if (problem || !file || size > kLargestConfiguration) {
    value.fail(fmt::format("{} cannot be read, or is larger than 1 MiB", in_quotes(read.file)));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  try {
    read.configuration = network::cni::parse_configuration(text);
  } catch (const Error& error) {
    value.fail(fmt::format("{} is no CNI network configuration: {}", in_quotes(read.file), error.what()));
  }
  return read;
}

/// "FILE:LINE:COLUMN" of a plugin's name in its configuration.
std::string place_of(const CniPlan::Network& network, const std::string& type) {
  const std::string& text = network.configuration.text;
  const std::size_t at = std::min(text.find('"' + type + '"'), text.size());
  const std::string_view before(text.data(), at);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  return fmt::format("{}:{}:{}", network.file, lines + 1, at - (before.rfind('\n') + 1) + 1);
}

/// The names of the plugins that there are: the standard ones, and whatever is in `path`.
std::vector<std::string> known_plugins(const std::vector<std::string>& path) {
  const auto standard = network::cni::standard_plugins();
  std::set<std::string> names(standard.begin(), standard.end());
  for (const std::string& folder : path) {
    std::error_code problem;
    for (fs::directory_iterator entry(folder, problem); !problem && entry != fs::directory_iterator();
         entry.increment(problem)) {
      names.insert(entry->path().filename().string());
    }
  }
  return {names.begin(), names.end()};
}

/// A standard plugin may be missing here: then the scenario is skipped. Any other would never be found.
void require_plugins(const Value& value, const CniPlan::Network& network,
                     const std::vector<std::string>& path) {
  for (const json::object& plugin : network.configuration.plugins) {
    for (const std::string& type : {network::cni::type_of(plugin), network::cni::ipam_of(plugin)}) {
      if (type.empty() || !network::cni::package_of(type).empty()) continue;
      if (!network::cni::find_plugin(path, type).empty()) continue;
      const std::vector<std::string> known = known_plugins(path);
      const std::vector<std::string_view> words(known.begin(), known.end());
      value.fail(fmt::format("{}: there is no CNI plugin {} in {}{}", place_of(network, type),
                             in_quotes(type), fmt::join(path, ":"), advice(type, words, "known")));
    }
  }
}

/// The networks by the names that containers call them; the one of `network` has none.
std::vector<std::pair<std::string, CniPlan::Network>> read_networks(const Value& value,
                                                                    const std::string& spec_file,
                                                                    const LoadOptions& options) {
  const Value* one = value.find("network");
  const Value* several = value.find("networks");
  if ((one == nullptr) == (several == nullptr)) {
    value.fail(fmt::format(
        "cni setup needs 'network', a CNI network configuration, or 'networks', several by name{}",
        one == nullptr ? "" : ": not both"));
  }
  std::vector<std::pair<std::string, CniPlan::Network>> networks;
  if (one != nullptr) {
    networks.emplace_back(std::string(), read_network(*one, spec_file, options));
    return networks;
  }
  std::set<std::string> names;
  for (const Value::Entry& entry : several->as_mapping("networks")) {
    networks.emplace_back(entry.key, read_network(entry.value, spec_file, options));
    // Plugins keep what they give out by the name in the file.
    const std::string& name = networks.back().second.configuration.name;
    if (!names.insert(name).second) {
      entry.value.fail(fmt::format("another of these networks is named {} already", in_quotes(name)));
    }
  }
  if (networks.empty()) several->fail("'networks' is empty: name one");
  return networks;
}

std::uint16_t read_port(const Value& value, std::string_view text) {
  unsigned port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65'535) {
    value.fail(
        fmt::format("{} is no port, in {}: HOST-PORT:PORT, with ADDRESS: before it and /udp behind it "
                    "where they are needed",
                    in_quotes(text), in_quotes(value.text)));
  }
  return static_cast<std::uint16_t>(port);
}

/// "8080:80", "127.0.0.1:8080:80/tcp", "[::1]:53:53/udp": as the capability portMappings has it.
json::object read_mapping(const Value& value) {
  std::string_view text = value.as_text("ports");
  json::object mapping;
  std::string_view protocol = "tcp";
  if (const auto slash = text.rfind('/'); slash != std::string_view::npos) {
    protocol = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") {
    value.fail(fmt::format("{} is no protocol with ports, in {}: tcp, udp, sctp", in_quotes(protocol),
                           in_quotes(value.text)));
  }
  const auto last = text.rfind(':');
  if (last == std::string_view::npos) read_port(value, "");
  const std::uint16_t inner = read_port(value, text.substr(last + 1));
  text = text.substr(0, last);
  const auto before = text.rfind(':');
  const bool addressed = before != std::string_view::npos;
  mapping["hostPort"] = read_port(value, addressed ? text.substr(before + 1) : text);
  mapping["containerPort"] = inner;
  mapping["protocol"] = std::string(protocol);
  if (!addressed) return mapping;
  std::string_view host = text.substr(0, before);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(std::string(host));
  if (!address) {
    value.fail(fmt::format("{} is no address, in {}", in_quotes(host), in_quotes(value.text)));
  }
  mapping["hostIP"] = address->to_string();
  return mapping;
}

/// YAML as JSON: numbers and booleans are such where they are not in quotes.
json::value to_json(const Value& value) {
  if (value.kind == Value::Kind::mapping) {
    json::object object;
    for (const Value::Entry& entry : value.entries) object[entry.key] = to_json(entry.value);
    return object;
  }
  if (value.kind == Value::Kind::sequence) {
    json::array array;
    for (const Value& item : value.items) array.push_back(to_json(item));
    return array;
  }
  if (value.kind == Value::Kind::null) return nullptr;
  if (!value.quoted && (value.text == "true" || value.text == "false")) return value.text == "true";
  std::int64_t number = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stopped, problem] = std::from_chars(value.text.data(), end, number);
  if (!value.quoted && problem == std::errc{} && stopped == end) return number;
  return json::string(value.text);
}

/// CNI_ARGS.
std::string read_arguments(const Value& value) {
  std::string arguments;
  for (const Value::Entry& entry : value.as_mapping("args")) {
    const std::string& text = entry.value.as_text(entry.key);
    if (entry.key.find_first_of("=;") != std::string::npos || text.find(';') != std::string::npos) {
      entry.value.fail("plugins are given args as KEY=VALUE;KEY=VALUE: these cannot hold a ';'");
    }
    arguments += fmt::format("{}{}={}", arguments.empty() ? "" : ";", entry.key, text);
  }
  return arguments;
}

class ContainerReader {
 public:
  ContainerReader(const std::vector<std::pair<std::string, CniPlan::Network>>& networks,
                  const network::Topology& world)
      : networks_(networks), world_(world) {}

  CniPlan::Container read(const Value::Entry& entry) const {
    constexpr std::array<std::string_view, 6> keys{"network", "address", "interface",
                                                   "ports",   "args",    "capabilities"};
    CniPlan::Container container;
    container.name = read_name(entry);
    const Value& value = entry.value;
    if (value.kind != Value::Kind::null) {
      value.as_mapping("a container");
      value.allow_keys("a container", keys);
    }
    container.network = read_network_name(entry);
    if (value.kind == Value::Kind::null) return container;
    if (const Value* address = value.find("address")) {
      for (const Value& item : address->as_list()) container.addresses.push_back(item.as_address("address"));
    }
    if (const Value* interface = value.find("interface")) {
      container.interface = interface->as_name("interface", kLongestInterfaceName);
      if (container.interface == "lo") interface->fail("'lo' is the container's loopback");
    }
    if (const Value* args = value.find("args")) container.arguments = read_arguments(*args);
    read_known(value, container);
    return container;
  }

 private:
  std::string read_name(const Value::Entry& entry) const {
    Value key;
    key.kind = Value::Kind::scalar;
    key.mark = entry.mark;
    key.text = entry.key;
    const std::string& name = key.as_name("container", kLongestName);
    if (IpAddress::parse(name)) {
      key.fail(fmt::format("a container cannot be named like an address: {}", in_quotes(name)));
    }
    if (world_.find(name) != nullptr) {
      key.fail(fmt::format("the world has a node named {} already", name));
    }
    return name;
  }

  std::size_t read_network_name(const Value::Entry& entry) const {
    const Value* stated = entry.value.find("network");
    if (stated == nullptr) {
      if (networks_.size() == 1) return 0;
      throw SpecError(entry.mark, fmt::format("{} needs 'network', one of {}", entry.key, words()));
    }
    std::vector<std::string_view> names;
    for (const auto& each : networks_) names.emplace_back(each.first);
    if (names.size() == 1 && names.front().empty()) {
      stated->fail("the setup has one 'network', which all its containers are in");
    }
    return stated->as_word("network", names);
  }

  std::string words() const {
    std::string text;
    for (const auto& each : networks_) text += (text.empty() ? "" : ", ") + each.first;
    return text;
  }

  void read_known(const Value& value, CniPlan::Container& container) const {
    const network::cni::Configuration& network = networks_[container.network].second.configuration;
    const auto require = [&](const Value& at, std::string_view capability) {
      if (network::cni::takes(network, capability)) return;
      at.fail(fmt::format("no plugin of the network {} has the capability {}, so none would be told",
                          in_quotes(network.name), in_quotes(capability)));
    };
    if (const Value* ports = value.find("ports")) {
      require(*ports, "portMappings");
      json::array mappings;
      for (const Value& item : ports->as_list()) mappings.push_back(read_mapping(item));
      container.known["portMappings"] = std::move(mappings);
    }
    const Value* capabilities = value.find("capabilities");
    if (capabilities == nullptr) return;
    for (const Value::Entry& entry : capabilities->as_mapping("capabilities")) {
      require(entry.value, entry.key);
      if (container.known.contains(entry.key)) entry.value.fail("'ports' says this already");
      container.known[entry.key] = to_json(entry.value);
    }
  }

  const std::vector<std::pair<std::string, CniPlan::Network>>& networks_;
  const network::Topology& world_;
};

/// CNI_PATH, then where distributions and hand-made installations have plugins.
std::vector<std::string> usual_path() {
  std::vector<std::string> path;
  const char* stated = std::getenv("CNI_PATH");
  for (std::string_view rest = stated == nullptr ? "" : stated; !rest.empty();) {
    const std::string_view each = rest.substr(0, rest.find(':'));
    if (!each.empty()) path.emplace_back(each);
    rest.remove_prefix(std::min(each.size() + 1, rest.size()));
  }
  for (const char* folder : {"/usr/lib/cni", "/opt/cni/bin"}) path.emplace_back(folder);
  return path;
}

}  // namespace

Setup read_cni(const Value::Entry& entry, const std::string& spec_file, const LoadOptions& options,
               const network::Topology& world) {
  constexpr std::array<std::string_view, 4> keys{"network", "networks", "path", "containers"};
  entry.value.as_mapping("cni setup");
  entry.value.allow_keys("cni setup", keys);
  CniPlan plan;
  plan.where = entry.mark.to_string();
  auto networks = read_networks(entry.value, spec_file, options);
  const Value& containers = entry.value.require("containers", "cni setup");
  const ContainerReader reader(networks, world);
  for (const Value::Entry& each : containers.as_mapping("containers")) {
    plan.containers.push_back(reader.read(each));
  }
  if (plan.containers.empty()) containers.fail("'containers' is empty: name one");
  if (const Value* path = entry.value.find("path")) {
    for (const Value& item : path->as_list()) {
      const fs::path folder = fs::absolute(spec_file).parent_path() / item.as_text("path");
      plan.path.push_back(folder.lexically_normal().string());
      std::error_code problem;
      if (!fs::is_directory(folder, problem))
        item.fail(fmt::format("there is no folder {}", plan.path.back()));
    }
  } else {
    plan.path = usual_path();
  }
  for (auto& [name, network] : networks) {
    const Value* several = entry.value.find("networks");
    const Value* stated = several == nullptr ? entry.value.find("network") : several->find(name);
    require_plugins(*stated, network, plan.path);
    plan.networks.push_back(std::move(network));
  }
  Setup setup;
  setup.kind = entry.key;
  setup.name = entry.key;
  setup.mark = entry.mark;
  setup.runtime = std::make_shared<network::CniSetup>(std::move(plan));
  return setup;
}

}  // namespace plumbline::spec
