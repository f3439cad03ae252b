#include "harness/testing/arrangement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/ip.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/testing/specs.hpp"

namespace plumbline::testing {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(message, ErrorKind::usage);
}

spec::Spec with_setup(std::vector<spec::Spec> specs, const std::string& file, const std::string& setup) {
  std::vector<std::string> names;
  for (spec::Spec& spec : specs) {
    names.push_back(setup_name(spec));
    if (names.back() == setup || (setup.empty() && specs.size() == 1)) return std::move(spec);
  }
  refuse(setup.empty()
             ? fmt::format("{}: name one of its setups: {}", file, fmt::join(names, ", "))
             : fmt::format("{}: it has no setup '{}', but: {}", file, setup, fmt::join(names, ", ")));
}

InterfaceAddress interface_address(const std::string& text) {
  const auto address = InterfaceAddress::parse(text);
  if (!address || text.find('/') == std::string::npos)
    refuse(fmt::format("'{}' is no address with its prefix length, as 192.168.16.10/24 is", text));
  return *address;
}

std::vector<InterfaceAddress> interface_addresses(const std::vector<std::string>& texts) {
  std::vector<InterfaceAddress> addresses;
  for (const std::string& text : texts) addresses.push_back(interface_address(text));
  return addresses;
}

IpAddress address(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) refuse(fmt::format("'{}' is no IP address", text));
  return *address;
}

Prefix prefix(const std::string& text) {
  const auto prefix = Prefix::parse(text);
  if (!prefix) refuse(fmt::format("'{}' is no network, as 10.0.0.0/8 is", text));
  return *prefix;
}

Prefix default_of(const IpAddress& via) {
  return {via.is_v4() ? IpAddress::v4({}) : IpAddress::v6({}), 0};
}

/// `key` with `value`, where `document` says nothing of it.
void put(spec::Value& document, const std::string& key, spec::Value value) {
  if (document.find(key) == nullptr) document.entries.push_back({key, document.mark, std::move(value)});
}

spec::Value text_value(const spec::Mark& mark, std::string text) {
  spec::Value value;
  value.kind = spec::Value::Kind::scalar;
  value.mark = mark;
  value.text = std::move(text);
  return value;
}

/// Stands for the checks of a text that has none.
const char* const kNoChecks = "[reach: {from: host, to: host}]";

}  // namespace

spec::Spec scenario(const std::string& file, const std::string& setup, const std::string& data) {
  return with_setup(spec::read_specs(spec::load_yaml(file), file, engine::shipped_load_options(data)), file,
                    setup);
}

spec::Spec scenario_text(std::string_view yaml, const std::string& setup, const std::string& data) {
  const std::string file = "scenario text";
  spec::Value document = spec::parse_yaml(yaml, file);
  document.as_mapping("a scenario");
  const bool checks = document.find("checks") != nullptr;
  // Whoever arranges a network need not say what it is called, nor promise anything.
  put(document, "version", text_value(document.mark, "1"));
  put(document, "name", text_value(document.mark, "network"));
  put(document, "checks", spec::parse_yaml(kNoChecks, file));
  spec::Spec spec =
      with_setup(spec::read_specs(document, file, engine::shipped_load_options(data)), file, setup);
  if (!checks) spec.checks.clear();
  return spec;
}

NetworkBuilder::NetworkBuilder() {
  network::Node& host = world_.nodes.emplace_back();
  host.name = "host";
  host.role = network::Role::host;
}

NetworkBuilder NetworkBuilder::in_world(const std::string& world, const std::string& data) {
  NetworkBuilder builder;
  const bool path = world.find('/') != std::string::npos || world.ends_with(".yaml");
  const std::string file =
      path ? world : engine::shipped_load_options(data).worlds_directory + "/" + world + ".yaml";
  builder.world_ = spec::load_world(file);
  return builder;
}

network::Node& NetworkBuilder::known(const std::string& node) {
  if (network::Node* found = world_.find(node)) return *found;
  std::vector<std::string_view> names;
  for (const network::Node& each : world_.nodes) names.emplace_back(each.name);
  const std::string_view near = spec::nearest(node, names);
  refuse(fmt::format("there is no node '{}' in this world{}", node,
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

NetworkBuilder& NetworkBuilder::node(const std::string& name) {
  if (world_.find(name) != nullptr) refuse(fmt::format("there is a node {} already", name));
  world_.nodes.emplace_back().name = name;
  return *this;
}

NetworkBuilder& NetworkBuilder::cable(const Plug& one, const Plug& other) {
  const auto plug = [&](const Plug& own, const Plug& peer) {
    network::Node& node = known(own.node);
    if (node.find_interface(own.interface) != nullptr)
      refuse(fmt::format("{} has an interface {} already", own.node, own.interface));
    network::Interface& end = node.interfaces.emplace_back();
    end.name = own.interface;
    end.peer = network::Endpoint{peer.node, peer.interface};
    end.addresses = interface_addresses(own.addresses);
  };
  known(other.node);
  plug(one, other);
  plug(other, one);
  return *this;
}

NetworkBuilder& NetworkBuilder::route(const std::string& node, const std::string& to,
                                      const std::string& via) {
  network::Node& from = known(node);
  network::Route& route = from.routes.emplace_back();
  const IpAddress router = address(via);
  route.to = to == "default" ? default_of(router) : prefix(to);
  route.via = router;
  for (network::Interface& interface : from.interfaces) {
    const auto near = [&](const InterfaceAddress& held) { return held.network().contains(router); };
    if (!std::ranges::any_of(interface.addresses, near)) continue;
    route.dev = interface.name;
    if (to == "default") interface.gateways.push_back(router);
    return *this;
  }
  refuse(fmt::format("{} is on no network of {}", via, node));
}

NetworkBuilder& NetworkBuilder::bridge(const std::string& name, const std::vector<std::string>& addresses) {
  network::NativeSetup::Bridge& bridge = setup_.bridges.emplace_back();
  bridge.name = name;
  bridge.addresses = interface_addresses(addresses);
  return *this;
}

NetworkBuilder& NetworkBuilder::container(const std::string& name,
                                          const std::vector<std::string>& addresses) {
  if (setup_.bridges.empty()) refuse(fmt::format("container {}: name a bridge first", name));
  network::NativeSetup::Bridge& bridge = setup_.bridges.back();
  network::NativeSetup::Container& container = bridge.containers.emplace_back();
  container.name = name;
  for (const std::string& text : addresses) {
    const IpAddress own = address(text);
    const auto around = std::ranges::find_if(
        bridge.addresses, [&](const InterfaceAddress& gateway) { return gateway.network().contains(own); });
    if (around == bridge.addresses.end())
      refuse(fmt::format("container {}: {} is outside the network of bridge {}", name, text, bridge.name));
    container.addresses.push_back({own, around->prefix_length});
  }
  return *this;
}

network::NativeSetup::Forward& NetworkBuilder::forwarding() {
  if (!setup_.forward) setup_.forward = network::NativeSetup::Forward{};
  return *setup_.forward;
}

NetworkBuilder& NetworkBuilder::forward(const std::string& uplink) {
  forwarding().allow.push_back(uplink);
  return *this;
}

NetworkBuilder& NetworkBuilder::deny(const std::vector<std::string>& networks) {
  for (const std::string& network : networks) forwarding().deny.push_back(prefix(network));
  return *this;
}

NetworkBuilder& NetworkBuilder::masquerade(const std::string& uplink) {
  setup_.masquerade.push_back(uplink);
  return *this;
}

NetworkBuilder& NetworkBuilder::nft(const std::string& ruleset) {
  setup_.nft = ruleset;
  setup_.nft_origin = "NetworkBuilder::nft";
  return *this;
}

spec::Spec NetworkBuilder::arrangement() const {
  spec::Spec spec;
  spec.file = "NetworkBuilder";
  spec.name = "network";
  spec.world = world_;
  spec.addition = network::expand(setup_, world_);
  return spec;
}

}  // namespace plumbline::testing
