#include "harness/network/setup/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>
#include <string_view>

#include "harness/base/error.hpp"

namespace plumbline::network {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(message, ErrorKind::usage);
}

const Node& host_of(const Topology& world) {
  const Node* host = world.host();
  if (host == nullptr) refuse("the setup needs a world with a host to stand in");
  return *host;
}

std::set<IpAddress> held_by(const Topology& world) {
  std::set<IpAddress> held;
  for (const Node& node : world.nodes) {
    for (const Interface& interface : node.interfaces) {
      for (const InterfaceAddress& own : interface.addresses) held.insert(own.address);
    }
  }
  return held;
}

std::string variable_of(std::string_view interface, std::string_view what) {
  std::string name(interface);
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return static_cast<char>(c < 0x80 && std::isalnum(c) != 0 ? std::toupper(c) : '_');
  });
  return fmt::format("PLUMBLINE_{}_{}", name, what);
}

template <class Range>
std::string listed(const Range& addresses) {
  std::string text;
  for (const auto& each : addresses) text += (text.empty() ? "" : " ") + each.to_string();
  return text;
}

std::string path_with_system_folders() {
  const char* own = std::getenv("PATH");
  std::string path = own == nullptr ? "/usr/local/bin:/usr/bin:/bin" : own;
  for (const char* folder : {"/usr/local/sbin", "/usr/sbin", "/sbin"}) {
    if (fmt::format(":{}:", path).find(fmt::format(":{}:", folder)) != std::string::npos) continue;
    path += fmt::format("{}{}", path.empty() ? "" : ":", folder);
  }
  return path;
}

}  // namespace

Topology expected_of(const ScriptSetup& setup, const Topology& world) {
  const Node& host = host_of(world);
  std::set<IpAddress> taken = held_by(world);
  Topology expected;
  for (const ScriptSetup::Container& container : setup.expected) {
    if (world.find(container.name) != nullptr || expected.find(container.name) != nullptr) {
      refuse(fmt::format("there is a node {} already", container.name));
    }
    Node& node = expected.nodes.emplace_back();
    node.name = container.name;
    node.role = Role::container;
    node.resolvers = setup.resolvers.empty() ? host.resolvers : setup.resolvers;
    if (container.addresses.empty()) continue;
    Interface& interface = node.interfaces.emplace_back();
    for (const IpAddress& address : container.addresses) {
      if (!taken.insert(address).second) {
        refuse(fmt::format("container {}: {} is another's already", container.name, address.to_string()));
      }
      interface.addresses.push_back({address, address.bits()});
    }
  }
  return expected;
}

Environment script_environment(const std::string& setup_name, const Topology& world,
                               const std::vector<IpAddress>& resolvers) {
  const Node& host = host_of(world);
  Environment environment;
  environment["PATH"] = path_with_system_folders();
  environment["PLUMBLINE_SETUP"] = setup_name;
  environment["PLUMBLINE_HOST"] = host.name;
  environment["PLUMBLINE_RESOLVERS"] = listed(resolvers.empty() ? host.resolvers : resolvers);
  std::string& uplinks = environment["PLUMBLINE_UPLINKS"];
  for (const Interface& interface : host.interfaces) {
    if (interface.gateways.empty()) continue;
    uplinks += (uplinks.empty() ? "" : " ") + interface.name;
    environment[variable_of(interface.name, "ADDRESSES")] = listed(interface.addresses);
    environment[variable_of(interface.name, "GATEWAYS")] = listed(interface.gateways);
  }
  return environment;
}

}  // namespace plumbline::network
