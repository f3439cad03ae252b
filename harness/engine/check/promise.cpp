#include "harness/engine/check/promise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace plumbline::engine {
namespace {

std::vector<std::string_view> node_names(const network::Topology& topology) {
  std::vector<std::string_view> names;
  for (const network::Node& node : topology.nodes) names.emplace_back(node.name);
  return names;
}

[[noreturn]] void unknown_node(const spec::Value& value, const std::string& name,
                               const network::Topology& topology, std::string_view or_else) {
  const auto names = node_names(topology);
  std::string message = fmt::format("unknown node '{}'", name);
  if (const auto near = spec::nearest(name, names); !near.empty()) {
    message += fmt::format("; did you mean '{}'?", near);
  } else {
    message += fmt::format("; expected {}{}", fmt::join(names, ", "), or_else);
  }
  value.fail(message);
}

const spec::Value& node_value(const spec::Value& value, std::string_view key,
                              const network::Topology& topology) {
  if (topology.find(value.as_text(key)) == nullptr) unknown_node(value, value.text, topology, "");
  return value;
}

std::span<const spec::Value> listed(const spec::Value& arguments, std::string_view key) {
  const spec::Value& value = arguments.require(key, "a check");
  const auto items = value.as_list();
  if (items.empty()) value.fail(fmt::format("'{}' is empty: name at least one", key));
  return items;
}

Service read_service(const spec::Value& value) {
  const std::string& text = value.as_text("with");
  if (const auto service = parse_service(text)) return *service;
  const std::string word = text.substr(0, text.find('/'));
  if (word == "tcp" || word == "udp")
    value.fail(fmt::format("'{}' needs a port from 1 to 65535, as in {}/80", text, word));
  value.fail(fmt::format("unknown service '{}'; expected ping, tcp/PORT or udp/PORT", text));
}

/// Addresses that no packet can be sent to as a promise about one place.
void refuse_unreachable(const spec::Value& value, const IpAddress& address) {
  static const Prefix kMapped(*IpAddress::parse("::ffff:0:0"), 96);
  const std::string text = address.to_string();
  if (kMapped.contains(address)) {
    const auto v4 = IpAddress::from_bytes(address.bytes().last(4));
    value.fail(fmt::format("{} is an IPv4 address in IPv6's form: write {}", text, v4->to_string()));
  }
  const char* what = nullptr;
  if (address.is_unspecified()) what = "the unspecified address";
  if (address.is_multicast()) what = "a multicast address";
  if (address == IpAddress::v4({255, 255, 255, 255})) what = "the broadcast address";
  if (what != nullptr)
    value.fail(fmt::format("{} is {}, not one target's: name a node or its address", text, what));
}

}  // namespace

std::string Service::to_string() const {
  const std::string size = payload_bytes == 0 ? std::string() : fmt::format(" size {}", payload_bytes);
  switch (protocol) {
    case traffic::Protocol::ping:
      return "ping" + size;
    case traffic::Protocol::udp:
      return fmt::format("udp/{}{}", port, size);
    case traffic::Protocol::tcp:
      return fmt::format("tcp/{}", port);
  }
  return {};
}

std::optional<Service> parse_service(std::string_view text) {
  if (text == "ping") return Service{};
  const std::string_view word = text.substr(0, 4);
  if (word != "tcp/" && word != "udp/") return std::nullopt;
  Service service;
  service.protocol = word == "tcp/" ? traffic::Protocol::tcp : traffic::Protocol::udp;
  const std::string_view digits = text.substr(word.size());
  const char* end = digits.data() + digits.size();
  const auto [rest, problem] = std::from_chars(digits.data(), end, service.port);
  if (problem != std::errc{} || rest != end || service.port == 0) return std::nullopt;
  return service;
}

std::vector<Party> read_nodes(const spec::Value& arguments, std::string_view key,
                              const network::Topology& topology) {
  std::vector<Party> nodes;
  for (const spec::Value& value : listed(arguments, key)) {
    node_value(value, key, topology);
    nodes.push_back({value.text, value.mark});
  }
  return nodes;
}

std::string read_node(const spec::Value& arguments, std::string_view key, const network::Topology& topology,
                      const std::string& fallback) {
  const spec::Value* value = arguments.find(key);
  return value == nullptr ? fallback : node_value(*value, key, topology).text;
}

std::string read_guard(const spec::Value& arguments, std::string_view key,
                       const network::Topology& topology) {
  const network::Node* host = topology.host();
  if (host == nullptr && arguments.find(key) == nullptr) {
    arguments.fail(fmt::format("'{}' is needed where the world has no host", key));
  }
  return read_node(arguments, key, topology, host == nullptr ? std::string() : host->name);
}

network::Endpoint read_endpoint(const spec::Value& value, std::string_view key,
                                const network::Topology& topology) {
  constexpr std::size_t longest_interface = 15;
  const std::string& text = value.as_text(key);
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    value.fail(fmt::format("'{}' is not NODE:INTERFACE, as in host:veth1", text));
  }
  const std::string node = text.substr(0, colon);
  if (topology.find(node) == nullptr) unknown_node(value, node, topology, "");
  spec::Value interface = value;
  interface.text.erase(0, colon + 1);
  return {node, interface.as_name(key, longest_interface)};
}

std::vector<Party> read_targets(const spec::Value& arguments, std::string_view key,
                                const network::Topology& topology) {
  std::vector<Party> targets;
  for (const spec::Value& value : listed(arguments, key)) {
    const std::string& text = value.as_text(key);
    if (const auto address = IpAddress::parse(text)) {
      refuse_unreachable(value, *address);
    } else if (topology.find(text) == nullptr) {
      unknown_node(value, text, topology, ", or an IP address");
    }
    targets.push_back({text, value.mark});
  }
  return targets;
}

std::vector<Service> read_services(const spec::Value& arguments) {
  const spec::Value* with = arguments.find("with");
  if (with == nullptr) return {Service{}};
  std::vector<Service> services;
  for (const spec::Value& value : listed(arguments, "with")) services.push_back(read_service(value));
  return services;
}

std::string Pairing::suffix() const {
  return named && family == IpFamily::v6 ? " ipv6" : "";
}

std::string Pairing::what() const {
  return named ? fmt::format("{} over {}", with.to_string(), family_name(family)) : with.to_string();
}

std::string family_text(IpFamily family) {
  return family == IpFamily::v4 ? "ipv4" : "ipv6";
}

std::string family_name(IpFamily family) {
  return family == IpFamily::v4 ? "IPv4" : "IPv6";
}

namespace {

constexpr std::array<std::string_view, 2> kFamilies{"ipv4", "ipv6"};

bool has(const network::Topology& topology, const std::string& name, IpFamily family) {
  const network::Node* node = topology.find(name);
  return node != nullptr && !network::known_addresses(*node, family).empty();
}

bool is_addressed(const network::Topology& topology, const std::string& name) {
  return has(topology, name, IpFamily::v4) || has(topology, name, IpFamily::v6);
}

std::vector<IpFamily> stated_families(const spec::Value& stated) {
  std::vector<IpFamily> families;
  for (const spec::Value& item : stated.as_list()) {
    families.push_back(item.as_word("family", kFamilies) == 0 ? IpFamily::v4 : IpFamily::v6);
  }
  if (families.empty()) stated.fail("'family' is empty: name ipv4, ipv6 or both, or leave it out");
  return families;
}

/// Where the addresses are known, a family that an end has no address of can only be a slip.
void require_family(const network::Topology& topology, const Party& party, IpFamily family,
                    const spec::Value& stated) {
  if (!is_addressed(topology, party.text) || has(topology, party.text, family)) return;
  stated.fail(fmt::format("{} has no {} address", party.text, family_name(family)));
}

}  // namespace

std::vector<IpFamily> read_stated_families(const spec::Value& arguments) {
  const spec::Value* stated = arguments.find("family");
  return stated == nullptr ? std::vector<IpFamily>() : stated_families(*stated);
}

std::vector<IpFamily> read_families(const spec::Value& arguments, const network::Topology& topology,
                                    const Party& from, const Party& to) {
  const spec::Value* stated = arguments.find("family");
  if (const auto address = IpAddress::parse(to.text)) {
    if (stated != nullptr && std::ranges::count(stated_families(*stated), address->family()) == 0) {
      throw spec::SpecError(to.mark, fmt::format("{} is of another family than 'family' says", to.text));
    }
    return {address->family()};
  }
  if (stated != nullptr) {
    const std::vector<IpFamily> families = stated_families(*stated);
    for (const IpFamily family : families) {
      require_family(topology, from, family, *stated);
      require_family(topology, to, family, *stated);
    }
    return families;
  }
  std::vector<IpFamily> common;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    if (has(topology, from.text, family) && has(topology, to.text, family)) common.push_back(family);
  }
  if (!common.empty()) return common;
  for (const Party* party : {&from, &to}) {
    if (is_addressed(topology, party->text)) continue;
    throw spec::SpecError(
        party->mark, fmt::format("{} has no address that is known before it is built: say `family: ipv4`, "
                                 "ipv6 or both, or give an address as target",
                                 party->text));
  }
  throw spec::SpecError(to.mark,
                        fmt::format("{} and {} have no address family in common", from.text, to.text));
}

std::vector<Pairing> read_pairings(const spec::Value& arguments, const network::Topology& topology) {
  const auto services = read_services(arguments);
  const auto targets = read_targets(arguments, "to", topology);
  std::vector<Pairing> pairings;
  for (const Party& from : read_nodes(arguments, "from", topology)) {
    for (const Party& to : targets) {
      const bool named = !IpAddress::parse(to.text);
      for (const IpFamily family : read_families(arguments, topology, from, to)) {
        for (const Service& with : services) pairings.push_back({from, to, with, family, named});
      }
    }
  }
  return pairings;
}

void describe(CheckResult& promise, const spec::CheckItem& item, const Pairing& pairing) {
  promise.type = item.kind;
  promise.from = pairing.from.text;
  promise.to = pairing.to.text;
  promise.with = pairing.with.to_string();
  promise.family = family_text(pairing.family);
  promise.where = item.mark.to_string();
}

}  // namespace plumbline::engine
