#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/error.hpp"
#include "harness/network/setup/engine/engine.hpp"

namespace plumbline::network {
namespace {

using Engine = EngineSetup::Engine;

std::set<IpAddress> held_by(const Topology& world) {
  std::set<IpAddress> held;
  for (const Node& node : world.nodes) {
    for (const Interface& interface : node.interfaces) {
      for (const InterfaceAddress& own : interface.addresses) held.insert(own.address);
    }
  }
  return held;
}

bool has_ipv6(const EngineSetup::Container& container) {
  return std::ranges::any_of(container.attachments, [](const EngineSetup::Attachment& each) {
    return std::ranges::any_of(each.addresses, [](const IpAddress& address) { return !address.is_v4(); });
  });
}

/// The host's, as far as they are of use in another namespace: both engines leave loopback ones out, and put
/// in public ones where none is left.
std::vector<IpAddress> handed_down(const Node& host, bool ipv6) {
  std::vector<IpAddress> resolvers;
  for (const IpAddress& each : host.resolvers) {
    if (!each.is_loopback() && (each.is_v4() || ipv6)) resolvers.push_back(each);
  }
  if (resolvers.empty()) resolvers = {*IpAddress::parse("8.8.8.8"), *IpAddress::parse("8.8.4.4")};
  return resolvers;
}

/// On networks of the user's own names are the engine's affair: Docker has a server in the container's
/// namespace, Podman one at the bridge, with the host's behind it.
std::vector<IpAddress> resolvers_of(const EngineSetup& setup, const EngineSetup::Container& container,
                                    const Node& host) {
  std::vector<IpAddress> own;
  for (const EngineSetup::Attachment& each : container.attachments) {
    const auto network = std::ranges::find(setup.networks, each.network, &EngineSetup::Network::name);
    if (network == setup.networks.end()) continue;
    if (setup.engine == Engine::docker) return {*IpAddress::parse("127.0.0.11")};
    for (const Prefix& subnet : network->subnets) own.push_back(first_of(subnet));
  }
  const std::vector<IpAddress> handed = handed_down(host, has_ipv6(container));
  own.insert(own.end(), handed.begin(), handed.end());
  return own;
}

}  // namespace

const char* engine_name(EngineSetup::Engine engine) {
  return engine == Engine::docker ? "docker" : "podman";
}

IpAddress first_of(const Prefix& subnet) {
  std::vector<std::uint8_t> bytes(subnet.address().bytes().begin(), subnet.address().bytes().end());
  ++bytes.back();
  return *IpAddress::from_bytes(bytes);
}

Topology EngineRuntime::expected(const Topology& world) const {
  const Node* host = world.host();
  const auto refuse = [](const std::string& message) { return Error(message, ErrorKind::usage); };
  if (host == nullptr) throw refuse("the setup needs a world with a host to stand in");
  std::set<IpAddress> taken = held_by(world);
  Topology expected;
  for (const EngineSetup::Container& container : setup_.containers) {
    if (world.find(container.name) != nullptr || expected.find(container.name) != nullptr) {
      throw refuse(fmt::format("there is a node {} already", container.name));
    }
    Node& node = expected.nodes.emplace_back();
    node.name = container.name;
    node.role = Role::container;
    node.resolvers = resolvers_of(setup_, container, *host);
    for (const EngineSetup::Attachment& each : container.attachments) {
      if (each.addresses.empty()) continue;
      Interface& interface = node.interfaces.emplace_back();
      for (const IpAddress& address : each.addresses) {
        if (!taken.insert(address).second) {
          throw refuse(
              fmt::format("container {}: {} is another's already", container.name, address.to_string()));
        }
        interface.addresses.push_back({address, address.bits()});
      }
    }
  }
  return expected;
}

}  // namespace plumbline::network
