#include "harness/engine/spec/native.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

using network::NativeSetup;

constexpr std::array<std::string_view, 7> kKeys{"bridges", "containers", "forward", "masquerade",
                                                "routing", "resolvers",  "nft"};
constexpr std::array<std::string_view, 3> kBridgeKeys{"address", "containers", "default-route"};
constexpr std::array<std::string_view, 4> kSingleKeys{"veth", "addresses", "host-addresses", "default-route"};
constexpr std::array<std::string_view, 2> kFamilyKeys{"ipv4", "ipv6"};
constexpr std::array<std::string_view, 5> kForwardKeys{"allow", "deny", "except", "how", "log"};
constexpr std::array<std::string_view, 2> kExceptionKeys{"to", "with"};
constexpr std::array<std::string_view, 2> kRoutingKeys{"table", "via"};
constexpr std::array<std::string_view, 2> kHow{"reject", "drop"};

/// A name as a key stands; messages show it where it stands.
Value key_of(const Value::Entry& entry) {
  Value key;
  key.kind = Value::Kind::scalar;
  key.mark = entry.mark;
  key.text = entry.key;
  return key;
}

class NativeReader {
 public:
  explicit NativeReader(const network::Topology& world) : world_(world), host_(*world.host()) {
    take_world_addresses();
    for (const network::Interface& interface : host_.interfaces) {
      if (interface.kind != network::LinkKind::loopback) uplinks_.emplace_back(interface.name);
    }
  }

  NativeSetup read(const Value& value) {
    value.as_mapping("native setup");
    value.allow_keys("native setup", kKeys);
    const Value* bridges = value.find("bridges");
    const Value* containers = value.find("containers");
    if (bridges == nullptr && containers == nullptr) {
      value.fail("native setup needs the key 'bridges', or 'containers' for some without a bridge");
    }
    if (bridges != nullptr) {
      for (const Value::Entry& entry : bridges->as_mapping("bridges")) read_bridge(entry);
      if (setup_.bridges.empty()) bridges->fail("'bridges' needs at least one bridge");
    }
    if (containers != nullptr) {
      for (const Value::Entry& entry : containers->as_mapping("containers")) read_single(entry);
    }
    if (const Value* forward = value.find("forward")) read_forward(*forward);
    if (const Value* masquerade = value.find("masquerade")) read_masquerade(*masquerade);
    if (const Value* routing = value.find("routing")) read_routing(*routing);
    if (const Value* resolvers = value.find("resolvers")) {
      for (const Value& item : resolvers->as_list()) setup_.resolvers.push_back(item.as_address("resolvers"));
    }
    if (const Value* nft = value.find("nft")) {
      setup_.nft = nft->as_text("nft");
      setup_.nft_origin = fmt::format("{}:{}", *nft->mark.file, nft->mark.line);
    }
    return std::move(setup_);
  }

 private:
  void take_world_addresses() {
    for (const network::Node& node : world_.nodes) {
      for (const network::Interface& interface : node.interfaces) {
        for (const InterfaceAddress& held : interface.addresses) {
          taken_.emplace(held.address,
                         fmt::format("the address of {} ({}) in the world", node.name, interface.name));
        }
      }
    }
  }

  void read_bridge(const Value::Entry& entry) {
    NativeSetup::Bridge bridge;
    bridge.name = read_host_interface("bridge", key_of(entry));
    const std::string what = "bridge " + bridge.name;
    entry.value.as_mapping(what);
    entry.value.allow_keys(what, kBridgeKeys);
    for (const Value& item : entry.value.require("address", what).as_list()) {
      bridge.addresses.push_back(read_bridge_address(bridge, item));
    }
    if (const Value* containers = entry.value.find("containers")) {
      for (const Value::Entry& each : containers->as_mapping("containers")) read_container(bridge, each);
    }
    if (const Value* route = entry.value.find("default-route")) {
      bridge.default_route = route->as_bool("default-route");
    }
    setup_.bridges.push_back(std::move(bridge));
  }

  /// The name of an interface that the setup makes in the host.
  std::string read_host_interface(std::string_view what, const Value& key) {
    const std::string& name = key.as_name(what, kLongestInterfaceName);
    if (name == "all" || name == "default" || name == "lo") {
      key.fail(fmt::format("the kernel keeps the name '{}' for itself", name));
    }
    if (host_.find_interface(name) != nullptr) {
      key.fail(fmt::format("the host has an interface named {} already", name));
    }
    if (!host_names_.insert(name).second) key.fail(fmt::format("two interfaces are named {}", name));
    return name;
  }

  void read_single(const Value::Entry& entry) {
    NativeSetup::Single single;
    const Value key = key_of(entry);
    single.name = read_container_name(key);
    const std::string what = "container " + single.name;
    entry.value.as_mapping(what);
    entry.value.allow_keys(what, kSingleKeys);
    const Value* veth = entry.value.find("veth");
    if (veth != nullptr) single.veth = read_host_interface("veth", *veth);
    read_single_addresses(entry.value, "addresses", what, single.addresses);
    read_single_addresses(entry.value, "host-addresses", "the host's end of " + what, single.host_addresses);
    if (const Value* route = entry.value.find("default-route")) {
      single.default_route = route->as_bool("default-route");
    }
    if (veth == nullptr && !entry.value.entries.empty()) {
      key.fail(fmt::format("{} has no cable to hold addresses: name the host's end with 'veth'", what));
    }
    setup_.singles.push_back(std::move(single));
  }

  void read_single_addresses(const Value& value, std::string_view key, const std::string& whose,
                             std::vector<InterfaceAddress>& into) {
    const Value* list = value.find(key);
    if (list == nullptr) return;
    for (const Value& item : list->as_list()) {
      const InterfaceAddress address = item.as_interface_address(key);
      if (item.text.find('/') == std::string::npos) {
        item.fail(fmt::format("'{}' must have a prefix length, as in {}/24", key, item.text));
      }
      check_one_per_family(into, address.address, item);
      refuse_unusable(address, item);
      check_against_world(address.network(), item);
      take(address.address, "an address of " + whose, item);
      into.push_back(address);
    }
  }

  InterfaceAddress read_bridge_address(const NativeSetup::Bridge& bridge, const Value& item) {
    const InterfaceAddress address = item.as_interface_address("address");
    if (item.text.find('/') == std::string::npos) {
      item.fail(fmt::format("'address' must have a prefix length, as in {}/24", item.text));
    }
    check_one_per_family(bridge.addresses, address.address, item);
    refuse_unusable(address, item);
    const Prefix network = address.network();
    for (const NativeSetup::Bridge& other : setup_.bridges) {
      for (const InterfaceAddress& taken : other.addresses) {
        if (!network.overlaps(taken.network())) continue;
        item.fail(fmt::format("{} overlaps {} of bridge {}", network.to_string(), taken.network().to_string(),
                              other.name));
      }
    }
    check_against_world(network, item);
    take(address.address, "the address of bridge " + bridge.name, item);
    return address;
  }

  /// Networks of nodes on lo, and local ranges, are far away: longer routes of the host's own may hide them.
  void check_against_world(const Prefix& network, const Value& item) const {
    for (const network::Node& node : world_.nodes) {
      for (const network::Interface& interface : node.interfaces) {
        if (interface.kind == network::LinkKind::loopback) continue;
        for (const InterfaceAddress& taken : interface.addresses) {
          if (!network.overlaps(taken.network())) continue;
          item.fail(fmt::format("{} overlaps {} of {} ({}) in the world", network.to_string(),
                                taken.network().to_string(), node.name, interface.name));
        }
      }
    }
  }

  void read_container(NativeSetup::Bridge& bridge, const Value::Entry& entry) {
    NativeSetup::Container container;
    container.name = read_container_name(key_of(entry));
    for (const Value& item : entry.value.as_list()) {
      const IpAddress address = item.as_address(container.name);
      check_one_per_family(container.addresses, address, item);
      container.addresses.push_back(inside_bridge(bridge, address, item));
      take(address, "the address of container " + container.name, item);
    }
    if (container.addresses.empty())
      entry.value.fail(fmt::format("container {} needs an address", container.name));
    bridge.containers.push_back(std::move(container));
  }

  std::string read_container_name(const Value& key) {
    const std::string& name = key.as_name("container", kLongestName);
    if (IpAddress::parse(name)) {
      key.fail(fmt::format("a container cannot be named like an address: {}", in_quotes(name)));
    }
    if (world_.find(name) != nullptr) key.fail(fmt::format("the world has a node named {} already", name));
    if (!container_names_.insert(name).second) key.fail(fmt::format("two containers are named {}", name));
    return name;
  }

  static InterfaceAddress inside_bridge(const NativeSetup::Bridge& bridge, const IpAddress& address,
                                        const Value& item) {
    std::vector<std::string> networks;
    for (const InterfaceAddress& gateway : bridge.addresses) {
      if (gateway.network().contains(address)) {
        const InterfaceAddress held{address, gateway.prefix_length};
        refuse_unusable(held, item);
        return held;
      }
      networks.push_back(gateway.network().to_string());
    }
    item.fail(fmt::format("{} is outside the network of bridge {} ({})", address.to_string(), bridge.name,
                          fmt::join(networks, ", ")));
  }

  static void check_one_per_family(const std::vector<InterfaceAddress>& addresses, const IpAddress& address,
                                   const Value& item) {
    const auto same = [&](const InterfaceAddress& other) {
      return other.address.family() == address.family();
    };
    if (std::any_of(addresses.begin(), addresses.end(), same)) {
      item.fail(fmt::format("at most one {} address is allowed here", address.is_v4() ? "IPv4" : "IPv6"));
    }
  }

  void take(const IpAddress& address, std::string whose, const Value& item) {
    const auto [before, fresh] = taken_.emplace(address, std::move(whose));
    if (!fresh) item.fail(fmt::format("{} is already {}", address.to_string(), before->second));
  }

  std::string read_uplink(std::string_view what, const Value& item) const {
    const std::string& name = item.as_text(what);
    if (std::find(uplinks_.begin(), uplinks_.end(), name) == uplinks_.end()) {
      fail_unknown(item, "uplink", uplinks_, "the host's interfaces");
    }
    return name;
  }

  std::vector<std::string> read_uplinks(std::string_view what, const Value& value) const {
    std::vector<std::string> names;
    for (const Value& item : value.as_list()) {
      names.push_back(read_uplink(what, item));
      if (std::count(names.begin(), names.end(), names.back()) > 1) {
        item.fail(fmt::format("{} stands twice in '{}'", names.back(), what));
      }
    }
    return names;
  }

  /// Uplinks, or `{ipv4: …, ipv6: …}`: a family that is left out then is not translated.
  void read_masquerade(const Value& value) {
    if (value.kind != Value::Kind::mapping) {
      setup_.masquerade = read_uplinks("masquerade", value);
      return;
    }
    value.allow_keys("masquerade", kFamilyKeys);
    if (const Value* ipv4 = value.find("ipv4")) setup_.masquerade = read_uplinks("ipv4", *ipv4);
    setup_.masquerade_ipv6.emplace();
    if (const Value* ipv6 = value.find("ipv6")) setup_.masquerade_ipv6 = read_uplinks("ipv6", *ipv6);
  }

  void read_forward(const Value& value) {
    value.as_mapping("forward");
    value.allow_keys("forward", kForwardKeys);
    NativeSetup::Forward forward;
    if (const Value* allow = value.find("allow")) forward.allow = read_uplinks("allow", *allow);
    if (const Value* deny = value.find("deny")) {
      for (const Value& item : deny->as_list()) forward.deny.push_back(item.as_prefix("deny"));
    }
    if (const Value* except = value.find("except")) {
      for (const Value& item : except->as_list()) forward.except.push_back(read_exception(item));
    }
    if (const Value* how = value.find("how")) forward.drop = how->as_word("how", kHow) == 1;
    if (const Value* log = value.find("log")) forward.log = read_log_prefix(*log);
    setup_.forward = std::move(forward);
  }

  static std::string read_log_prefix(const Value& value) {
    constexpr std::size_t kLongest = 127;  // the kernel's NF_LOG_PREFIXLEN with its NUL is 128
    const std::string& prefix = value.as_text("log");
    const bool printable =
        std::all_of(prefix.begin(), prefix.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (prefix.empty() || prefix.size() > kLongest || !printable) {
      value.fail(fmt::format("'log' is the prefix of a log rule: 1 to {} printable characters", kLongest));
    }
    return prefix;
  }

  static NativeSetup::Exception read_exception(const Value& item) {
    NativeSetup::Exception exception;
    if (item.kind != Value::Kind::mapping) {
      exception.to = item.as_prefix("except");
      return exception;
    }
    item.allow_keys("an exception", kExceptionKeys);
    exception.to = item.require("to", "an exception").as_prefix("to");
    if (const Value* with = item.find("with")) {
      for (const Value& port : with->as_list()) exception.ports.push_back(read_port(port));
      if (exception.ports.empty()) with->fail("'with' is empty: name ports as in udp/53, or leave it out");
    }
    return exception;
  }

  static NativeSetup::Exception::Port read_port(const Value& item) {
    const std::string_view text = item.as_text("with");
    const std::string_view digits = text.substr(std::min<std::size_t>(4, text.size()));
    NativeSetup::Exception::Port port;
    port.tcp = text.starts_with("tcp/");
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port.number);
    const bool good = (port.tcp || text.starts_with("udp/")) && problem == std::errc{} &&
                      end == digits.data() + digits.size() && port.number != 0;
    if (!good) item.fail(fmt::format("'with' must be tcp/PORT or udp/PORT, not {}", in_quotes(text)));
    return port;
  }

  void read_routing(const Value& value) {
    value.as_mapping("routing");
    value.allow_keys("routing", kRoutingKeys);
    NativeSetup::Routing routing;
    if (const Value* table = value.find("table")) {
      // 253 to 255 are the kernel's own tables: default, main, local.
      routing.table = static_cast<std::uint32_t>(table->as_number("table", 1, 0xFFFFFFFFU));
      if (routing.table >= 253 && routing.table <= 255) {
        table->fail(fmt::format("table {} is the kernel's own: choose one from 1 to 252, or above 255",
                                routing.table));
      }
    }
    const Value& via = value.require("via", "routing");
    routing.via = read_uplink("via", via);
    check_gateways(routing.via, via);
    setup_.routing = std::move(routing);
  }

  void check_gateways(const std::string& uplink, const Value& via) const {
    const auto& gateways = host_.find_interface(uplink)->gateways;
    for (const NativeSetup::Bridge& bridge : setup_.bridges) {
      for (const InterfaceAddress& address : bridge.addresses) {
        const auto same = [&](const IpAddress& each) { return each.family() == address.address.family(); };
        if (std::any_of(gateways.begin(), gateways.end(), same)) continue;
        via.fail(fmt::format("the world names no {} 'gateway' for {} of the host, which {} would need",
                             address.address.is_v4() ? "IPv4" : "IPv6", uplink, bridge.name));
      }
    }
  }

  const network::Topology& world_;
  const network::Node& host_;
  std::vector<std::string_view> uplinks_;
  std::set<std::string, std::less<>> container_names_;
  std::set<std::string, std::less<>> host_names_;
  std::map<IpAddress, std::string> taken_;
  NativeSetup setup_;
};

}  // namespace

NativeSetup read_native(const Value& value, const network::Topology& world) {
  return NativeReader(world).read(value);
}

}  // namespace plumbline::spec
