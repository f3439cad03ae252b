#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "harness/engine/spec/words.hpp"
#include "harness/engine/spec/world.hpp"

namespace plumbline::spec {
namespace {

using Words = std::span<const std::string_view>;
using Zone = std::map<std::string, std::vector<IpAddress>>;

constexpr std::array<std::string_view, 5> kWorldKeys{"version", "name", "about", "names", "nodes"};
constexpr std::array<std::string_view, 8> kNodeKeys{"interfaces", "forward",   "routes", "local",
                                                    "services",   "resolvers", "plant",  "sysctls"};
constexpr std::array<std::string_view, 5> kInterfaceKeys{"segment", "addresses", "gateway", "mac", "mtu"};
constexpr std::array<std::string_view, 7> kRouteKeys{"to", "via", "dev", "type", "table", "metric", "source"};
constexpr std::array<std::string_view, 5> kRouteTypes{"unicast", "local", "blackhole", "unreachable",
                                                      "prohibit"};
constexpr std::array<std::string_view, 3> kServices{"echo", "http", "dns"};

/// RFC 1035 names: at most 253 characters, labels of at most 63; lower case and without the final dot.
std::string read_host_name(const Value::Entry& entry) {
  std::string name = entry.key;
  if (name.ends_with('.')) name.pop_back();
  std::size_t label = 0;
  bool good =
      !name.empty() && name.size() <= 253 && !name.starts_with('.') && name.find("..") == std::string::npos;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    label = c == '.' ? 0 : label + 1;
    good = good && (c == '.' || allowed) && label <= 63;
  }
  if (!good) throw SpecError(entry.mark, fmt::format("{} is not a host name", in_quotes(entry.key)));
  return name;
}

Zone read_zone(const Value* names) {
  Zone zone;
  if (names == nullptr) return zone;
  for (const Value::Entry& entry : names->as_mapping("names")) {
    const std::string name = read_host_name(entry);
    if (zone.contains(name))
      throw SpecError(entry.mark, fmt::format("the name {} stands twice", in_quotes(name)));
    for (const Value& address : entry.value.as_list()) zone[name].push_back(address.as_address("names"));
    if (zone[name].empty()) entry.value.fail(fmt::format("{} needs at least one address", in_quotes(name)));
  }
  return zone;
}

const std::string& key_as_name(const Value::Entry& entry, std::string_view what, std::size_t longest) {
  Value key;
  key.kind = Value::Kind::scalar;
  key.mark = entry.mark;
  key.text = entry.key;
  key.as_name(what, longest);
  return entry.key;
}

/// Printable ASCII alone: what a sysctl takes, and what can be shown.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// A name of /proc/sys/net by dots or slashes: "net.ipv4.conf.all.rp_filter".
void check_sysctl_name(const Value::Entry& entry) {
  const std::string& name = entry.key;
  const char separator = name.find('/') == std::string::npos ? '.' : '/';
  bool good = name.starts_with(std::string("net") + separator) && name.find(' ') == std::string::npos &&
              is_plain(name);
  for (std::size_t start = 0; good && start <= name.size();) {
    const std::size_t end = std::min(name.find(separator, start), name.size());
    const std::string_view part = std::string_view(name).substr(start, end - start);
    good = !part.empty() && part != "." && part != "..";
    start = end + 1;
  }
  if (good) return;
  throw SpecError(entry.mark, fmt::format("'sysctls' takes a node's own, which begin with 'net.', such as "
                                          "net.ipv4.conf.all.rp_filter, not {}",
                                          in_quotes(name)));
}

std::string read_sysctl_value(const Value::Entry& entry) {
  const std::string& text = entry.value.as_text(entry.key);
  if (text.find_first_not_of(' ') == std::string::npos) {
    entry.value.fail(fmt::format("'{}' needs a value", entry.key));
  }
  if (!is_plain(text)) {
    entry.value.fail(
        fmt::format("'{}' must be one line of printable ASCII, not {}", entry.key, in_quotes(text)));
  }
  return text;
}

/// An address that a host may hold.
InterfaceAddress read_held_address(const Value& value) {
  const InterfaceAddress held = value.as_interface_address("addresses");
  refuse_unusable(held, value);
  return held;
}

class NodeReader {
 public:
  NodeReader(DraftWorld& world, const Zone& zone) : world_(world), zone_(zone) {}

  void read(const Value::Entry& entry) {
    DraftNode draft;
    draft.node.name = key_as_name(entry, "node", kLongestName);
    draft.mark = entry.mark;
    if (IpAddress::parse(draft.node.name)) {
      throw SpecError(entry.mark,
                      fmt::format("a node cannot be named like an address: {}", in_quotes(entry.key)));
    }
    draft.node.role = draft.node.name == "host" ? network::Role::host : network::Role::world;
    const std::string what = "node " + draft.node.name;
    const Value& value = entry.value;
    value.as_mapping(what);
    value.allow_keys(what, kNodeKeys);
    const Value* interfaces = value.find("interfaces");
    if (interfaces != nullptr) read_interfaces(draft, *interfaces);
    read_sysctls(draft.node, value);
    if (const Value* routes = value.find("routes")) read_routes(draft, *routes);
    if (const Value* local = value.find("local")) read_locals(draft, *local);
    if (const Value* services = value.find("services")) read_services(draft.node, *services);
    if (const Value* resolvers = value.find("resolvers")) {
      for (const Value& item : resolvers->as_list())
        draft.node.resolvers.push_back(item.as_address("resolvers"));
    }
    if (const Value* plant = value.find("plant")) draft.node.plant = plant->as_bool("plant");
    world_.nodes.push_back(std::move(draft));
  }

 private:
  void read_interfaces(DraftNode& draft, const Value& interfaces) {
    for (const Value::Entry& entry : interfaces.as_mapping("interfaces")) {
      network::Interface interface;
      interface.name = key_as_name(entry, "interface", kLongestInterfaceName);
      if (interface.name == "all" || interface.name == "default") {
        throw SpecError(entry.mark, fmt::format("the kernel keeps the name '{}' for itself", interface.name));
      }
      if (interface.name == "lo") interface.kind = network::LinkKind::loopback;
      const std::string what = fmt::format("interface {} of {}", interface.name, draft.node.name);
      entry.value.as_mapping(what);
      entry.value.allow_keys(what, kInterfaceKeys);
      read_interface(draft, interface, entry, what);
      draft.node.interfaces.push_back(std::move(interface));
    }
  }

  void read_interface(DraftNode& draft, network::Interface& interface, const Value::Entry& entry,
                      const std::string& what) {
    const Value& value = entry.value;
    std::string segment;
    const bool loopback = interface.kind == network::LinkKind::loopback;
    for (const std::string_view key : {"segment", "gateway", "mac", "mtu"}) {
      const Value* given = value.find(key);
      if (loopback && given != nullptr) given->fail(fmt::format("lo takes addresses only, no '{}'", key));
    }
    if (!loopback) {
      const Value& place = value.require("segment", what);
      segment = place.as_name("segment", kLongestName);
      world_.segments[segment].push_back({draft.node.name, interface.name, place.mark});
    }
    if (const Value* addresses = value.find("addresses")) {
      for (const Value& item : addresses->as_list()) {
        interface.addresses.push_back(read_held_address(item));
        world_.held.push_back(
            {interface.addresses.back(), draft.node.name, interface.name, segment, item.mark});
      }
    }
    if (const Value* gateway = value.find("gateway")) read_gateways(draft, interface, *gateway);
    if (const Value* mac = value.find("mac")) interface.mac = read_mac(*mac);
    if (const Value* mtu = value.find("mtu")) {
      interface.mtu = static_cast<std::uint32_t>(mtu->as_number("mtu", 68, 65535));
    }
  }

  static void read_gateways(DraftNode& draft, network::Interface& interface, const Value& value) {
    for (const Value& item : value.as_list()) {
      const IpAddress gateway = item.as_address("gateway");
      const auto same = [&](const IpAddress& other) { return other.family() == gateway.family(); };
      if (std::any_of(interface.gateways.begin(), interface.gateways.end(), same)) {
        item.fail("'gateway' takes at most one address of each family");
      }
      interface.gateways.push_back(gateway);
      draft.gateways.emplace_back(interface.name, Placed<IpAddress>{gateway, item.mark});
    }
  }

  static MacAddress read_mac(const Value& value) {
    const auto mac = MacAddress::parse(value.as_text("mac"));
    if (!mac)
      value.fail(fmt::format("'mac' must be a hardware address such as 02:00:00:00:00:01, not {}",
                             in_quotes(value.text)));
    if ((mac->bytes[0] & 1U) != 0)
      value.fail(fmt::format("{} is a group address: no interface can have it", value.text));
    return *mac;
  }

  /// What the kernel would otherwise take over from the machine it runs on is said for every node, so that a
  /// world is the same everywhere.
  static void read_sysctls(network::Node& node, const Value& value) {
    const Value* forward = value.find("forward");
    const bool forwards = forward != nullptr && forward->as_bool("forward");
    node.sysctls = {{"net.ipv4.ip_forward", forwards ? "1" : "0"},
                    {"net.ipv4.conf.all.rp_filter", "0"},
                    {"net.ipv4.conf.default.rp_filter", "0"}};
    if (forwards) node.sysctls["net.ipv6.conf.all.forwarding"] = "1";
    const Value* sysctls = value.find("sysctls");
    if (sysctls == nullptr) return;
    for (const Value::Entry& entry : sysctls->as_mapping("sysctls")) {
      check_sysctl_name(entry);
      node.sysctls[entry.key] = read_sysctl_value(entry);
    }
  }

  static void read_routes(DraftNode& draft, const Value& routes) {
    if (routes.kind != Value::Kind::sequence) routes.fail("'routes' must be a list of routes");
    for (const Value& item : routes.items) {
      const std::string what = "a route of " + draft.node.name;
      item.as_mapping(what);
      item.allow_keys(what, kRouteKeys);
      draft.routes.push_back(read_route(draft.node, item, what));
    }
  }

  static DraftRoute read_route(const network::Node& node, const Value& value, const std::string& what) {
    DraftRoute draft;
    draft.mark = value.mark;
    network::Route& route = draft.route;
    if (const Value* type = value.find("type")) {
      route.type = static_cast<network::RouteType>(type->as_word("type", kRouteTypes));
    }
    if (const Value* via = value.find("via")) {
      route.via = via->as_address("via");
      draft.via_mark = via->mark;
    }
    route.to = read_destination(value.require("to", what), route.via);
    if (route.via && route.via->family() != route.to.family()) {
      value.find("via")->fail(fmt::format("'via' {} is not of the same family as {}", route.via->to_string(),
                                          route.to.to_string()));
    }
    if (const Value* dev = value.find("dev")) route.dev = read_device(node, *dev);
    if (const Value* metric = value.find("metric")) {
      route.metric = static_cast<std::uint32_t>(metric->as_number("metric", 0, 0xFFFFFFFFU));
    }
    if (const Value* source = value.find("source")) route.source = source->as_address("source");
    const bool local = route.type == network::RouteType::local;
    if (local) route.table = network::kLocalTable;
    if (const Value* table = value.find("table")) {
      route.table = static_cast<std::uint32_t>(table->as_number("table", 1, 0xFFFFFFFFU));
    }
    if (local && route.dev.empty()) route.dev = "lo";
    check_route_shape(route, value);
    return draft;
  }

  static Prefix read_destination(const Value& to, const std::optional<IpAddress>& via) {
    if (to.kind != Value::Kind::scalar || to.text != "default") return to.as_prefix("to");
    const IpAddress any = via && !via->is_v4() ? IpAddress::v6({}) : IpAddress::v4({});
    return Prefix(any, 0);
  }

  static std::string read_device(const network::Node& node, const Value& dev) {
    auto words = names_of(node.interfaces);
    if (node.find_interface("lo") == nullptr) words.emplace_back("lo");
    const std::string& text = dev.as_text("dev");
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      fail_unknown(dev, "interface", words, "interfaces of " + node.name);
    }
    return text;
  }

  static void check_route_shape(const network::Route& route, const Value& value) {
    const bool unicast = route.type == network::RouteType::unicast;
    if (unicast && !route.via && route.dev.empty()) value.fail("a route needs 'via', 'dev' or both");
    if (unicast || (route.type == network::RouteType::local && !route.via)) return;
    const Value* via = value.find("via");
    const Value* extra = via != nullptr ? via : value.find("dev");
    if (extra != nullptr) {
      extra->fail(fmt::format("a route of type {} takes no '{}'",
                              kRouteTypes[static_cast<std::size_t>(route.type)],
                              via != nullptr ? "via" : "dev"));
    }
  }

  static void read_locals(DraftNode& draft, const Value& local) {
    for (const Value& item : local.as_list()) draft.locals.push_back({item.as_prefix("local"), item.mark});
  }

  void read_services(network::Node& node, const Value& services) const {
    std::set<std::uint16_t> used;
    services.as_mapping("services");
    services.allow_keys("services", kServices);
    for (const Value::Entry& entry : services.entries) {
      for (const Value& item : entry.value.as_list()) {
        network::Service service;
        const auto kind = std::find(kServices.begin(), kServices.end(), entry.key) - kServices.begin();
        service.kind = static_cast<network::Service::Kind>(kind);
        service.port = static_cast<std::uint16_t>(item.as_number(entry.key, 1, 65535));
        if (service.kind == network::Service::Kind::dns) service.names = zone_;
        if (!used.insert(service.port).second) {
          item.fail(fmt::format("port {} of {} has a server already", service.port, node.name));
        }
        node.services.push_back(std::move(service));
      }
    }
  }

  DraftWorld& world_;
  const Zone& zone_;
};

}  // namespace

DraftWorld read_world(const Value& document) {
  DraftWorld world;
  document.as_mapping("a world");
  document.allow_keys("a world", kWorldKeys);
  document.require("version", "a world").as_number("version", 1, 1);
  if (const Value* name = document.find("name")) name->as_name("name", kLongestName);
  if (const Value* about = document.find("about")) about->as_text("about");
  const Zone zone = read_zone(document.find("names"));
  const Value& nodes = document.require("nodes", "a world");
  world.mark = nodes.mark;
  NodeReader reader(world, zone);
  for (const Value::Entry& entry : nodes.as_mapping("nodes")) reader.read(entry);
  return world;
}

}  // namespace plumbline::spec
