#include "harness/engine/spec/engine_default.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <string_view>

namespace plumbline::spec {
namespace {

using network::EngineSetup;

/// dockerd takes its first pool that neither a route nor a resolver of the host stands in.
bool host_uses(const network::Topology& world, const Prefix& subnet) {
  const network::Node* host = world.host();
  if (host == nullptr) return true;
  for (const network::Interface& interface : host->interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      if (held.network().overlaps(subnet)) return true;
    }
  }
  const bool routed = std::ranges::any_of(host->routes, [&](const network::Route& route) {
    return route.to.length() != 0 && route.to.overlaps(subnet);
  });
  return routed ||
         std::ranges::any_of(host->resolvers, [&](const IpAddress& each) { return subnet.contains(each); });
}

DefaultNetwork counted_from_first(const char* subnet) {
  const Prefix prefix = Prefix::parse(subnet).value();
  return {prefix, network::first_of(prefix)};
}

}  // namespace

std::optional<DefaultNetwork> default_network(const EngineSetup& setup, const network::Topology& world) {
  if (setup.engine == EngineSetup::Engine::podman) return counted_from_first("10.88.0.0/16");
  const auto says = [&](const char* key) { return setup.daemon.contains(key); };
  if (const auto* bip = setup.daemon.if_contains("bip")) {
    const auto held = InterfaceAddress::parse(std::string_view(bip->as_string()));
    if (held) return DefaultNetwork{held->network(), held->address};
  }
  if (says("bridge") || says("fixed-cidr") || says("default-address-pools")) return std::nullopt;
  DefaultNetwork usual = counted_from_first("172.17.0.0/16");
  if (host_uses(world, usual.subnet)) return std::nullopt;
  return usual;
}

}  // namespace plumbline::spec
