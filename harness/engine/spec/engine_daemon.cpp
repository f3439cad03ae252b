#include "harness/engine/spec/engine_daemon.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "harness/base/text.hpp"
#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

namespace json = boost::json;

enum class Kind : std::uint8_t {
  flag,
  number,
  name,
  level,
  backend,
  address,
  address4,
  address6,
  held4,
  held6,
  network4,
  network6,
  addresses,
  texts,
  flags,
  pools,
  options,
};

struct Key {
  std::string_view name;
  Kind kind;
};

/// dockerd's, up to version 28, that are about networks or about what it tells. Whatever is not here is
/// refused: a daemon that runs as root would open any file, socket or program that it is named.
constexpr std::array kKeys{
    Key{"bip", Kind::held4},
    Key{"bip6", Kind::held6},
    Key{"bridge", Kind::name},
    Key{"fixed-cidr", Kind::network4},
    Key{"fixed-cidr-v6", Kind::network6},
    Key{"default-gateway", Kind::address4},
    Key{"default-gateway-v6", Kind::address6},
    Key{"default-address-pools", Kind::pools},
    Key{"default-network-opts", Kind::options},
    Key{"icc", Kind::flag},
    Key{"ip", Kind::address},
    Key{"ip-forward", Kind::flag},
    Key{"ip-forward-no-drop", Kind::flag},
    Key{"ip-masq", Kind::flag},
    Key{"iptables", Kind::flag},
    Key{"ip6tables", Kind::flag},
    Key{"ipv6", Kind::flag},
    Key{"mtu", Kind::number},
    Key{"network-control-plane-mtu", Kind::number},
    Key{"userland-proxy", Kind::flag},
    Key{"allow-direct-routing", Kind::flag},
    Key{"firewall-backend", Kind::backend},
    Key{"dns", Kind::addresses},
    Key{"dns-opts", Kind::texts},
    Key{"dns-search", Kind::texts},
    Key{"host-gateway-ip", Kind::address},
    Key{"host-gateway-ips", Kind::addresses},
    Key{"live-restore", Kind::flag},
    Key{"experimental", Kind::flag},
    Key{"features", Kind::flags},
    Key{"debug", Kind::flag},
    Key{"log-level", Kind::level},
};

struct Refused {
  std::string_view name;
  std::string_view why;
};

constexpr std::string_view kOurs =
    "is given to the daemon by plumbline itself: it keeps the daemon inside the disposable host";
constexpr std::string_view kFiles =
    "is not taken: it names files or programs of this machine, which the daemon would read, run or write as "
    "root";
constexpr std::string_view kOutwards =
    "is not taken: it has the daemon speak to something outside of the disposable host, or listen for it";
constexpr std::string_view kConfined =
    "is not taken: cgroups, users and security profiles belong to the whole machine, and no packet depends "
    "on them";

constexpr std::array kRefused{
    Refused{"data-root", kOurs},
    Refused{"graph", kOurs},
    Refused{"exec-root", kOurs},
    Refused{"hosts", kOurs},
    Refused{"pidfile", kOurs},
    Refused{"storage-driver", kOurs},
    Refused{"storage-opts", kOurs},
    Refused{"runtimes", kOurs},
    Refused{"default-runtime", kOurs},
    Refused{"add-runtime", kOurs},
    Refused{"containerd", kOurs},
    Refused{"containerd-namespace", kOurs},
    Refused{"containerd-plugin-namespace", kOurs},
    Refused{"cgroup-parent", kOurs},
    Refused{"exec-opts", kOurs},
    Refused{"config-file", kOurs},
    Refused{"deprecated-key-path", kFiles},
    Refused{"trust-key-path", kFiles},
    Refused{"authorization-plugins", kFiles},
    Refused{"cdi-spec-dirs", kFiles},
    Refused{"userland-proxy-path", kFiles},
    Refused{"init", kFiles},
    Refused{"init-path", kFiles},
    Refused{"tls", kFiles},
    Refused{"tlsverify", kFiles},
    Refused{"tlscacert", kFiles},
    Refused{"tlscert", kFiles},
    Refused{"tlskey", kFiles},
    Refused{"log-driver", kOutwards},
    Refused{"log-opts", kOutwards},
    Refused{"metrics-addr", kOutwards},
    Refused{"proxies", kOutwards},
    Refused{"registry-mirrors", kOutwards},
    Refused{"insecure-registries", kOutwards},
    Refused{"allow-nondistributable-artifacts", kOutwards},
    Refused{"cluster-store", kOutwards},
    Refused{"cluster-store-opts", kOutwards},
    Refused{"cluster-advertise", kOutwards},
    Refused{"swarm-default-advertise-addr", kOutwards},
    Refused{"group", kConfined},
    Refused{"userns-remap", kConfined},
    Refused{"oom-score-adjust", kConfined},
    Refused{"seccomp-profile", kFiles},
    Refused{"selinux-enabled", kConfined},
    Refused{"no-new-privileges", kConfined},
    Refused{"default-cgroupns-mode", kConfined},
    Refused{"default-ulimits", kConfined},
    Refused{"cpu-rt-period", kConfined},
    Refused{"cpu-rt-runtime", kConfined},
    Refused{"node-generic-resources", kConfined},
};

constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warn", "error", "fatal"};
constexpr std::array<std::string_view, 2> kBackends{"iptables", "nftables"};
constexpr std::array<std::string_view, 2> kPoolKeys{"base", "size"};
constexpr std::uint64_t kLargestMtu = 65'535;

void require_family(const Value& value, std::string_view what, const IpAddress& address, Kind kind) {
  const bool v6 = kind == Kind::address6 || kind == Kind::held6 || kind == Kind::network6;
  const bool v4 = kind == Kind::address4 || kind == Kind::held4 || kind == Kind::network4;
  if ((v4 && !address.is_v4()) || (v6 && address.is_v4())) {
    value.fail(fmt::format("'{}' takes IPv{}, and {} is not", what, v4 ? 4 : 6, in_quotes(value.text)));
  }
}

json::string read_network(const Value& value, std::string_view what, Kind kind) {
  const Prefix network = value.as_prefix(what);
  require_family(value, what, network.address(), kind);
  return json::string(network.to_string());
}

json::string read_held(const Value& value, std::string_view what, Kind kind) {
  const InterfaceAddress held = value.as_interface_address(what);
  require_family(value, what, held.address, kind);
  refuse_unusable(held, value);
  if (held.prefix_length > held.address.bits() - 2) {
    value.fail(fmt::format("{} has no room for a bridge and a container", held.network().to_string()));
  }
  return json::string(held.to_string());
}

json::array read_texts(const Value& value, std::string_view what, Kind kind) {
  json::array texts;
  for (const Value& item : value.as_list()) {
    texts.emplace_back(kind == Kind::addresses ? item.as_address(what).to_string() : item.as_text(what));
  }
  return texts;
}

json::object read_flags(const Value& value, std::string_view what) {
  json::object flags;
  for (const Value::Entry& each : value.as_mapping(what)) flags[each.key] = each.value.as_bool(each.key);
  return flags;
}

/// By driver, then by option.
json::object read_options(const Value& value, std::string_view what) {
  json::object drivers;
  for (const Value::Entry& driver : value.as_mapping(what)) {
    json::object options;
    for (const Value::Entry& each : driver.value.as_mapping(driver.key)) {
      options[each.key] = each.value.as_text(each.key);
    }
    drivers[driver.key] = std::move(options);
  }
  return drivers;
}

json::array read_pools(const Value& value, std::string_view what) {
  json::array pools;
  for (const Value& item : value.as_list()) {
    item.as_mapping(what);
    item.allow_keys(what, kPoolKeys);
    const Prefix base = item.require("base", what).as_prefix("base");
    const std::uint64_t size = item.require("size", what)
                                   .as_number("size", static_cast<unsigned>(base.length()),
                                              static_cast<unsigned>(base.address().bits()));
    pools.push_back(json::object{{"base", base.to_string()}, {"size", size}});
  }
  return pools;
}

json::value read_value(const Value& value, const Key& key) {
  switch (key.kind) {
    case Kind::flag:
      return value.as_bool(key.name);
    case Kind::number:
      return value.as_number(key.name, 0, kLargestMtu);
    case Kind::name:
      return json::string(value.as_name(key.name, kLongestInterfaceName));
    case Kind::level:
      return json::string(kLevels.at(value.as_word(key.name, kLevels)));
    case Kind::backend:
      return json::string(kBackends.at(value.as_word(key.name, kBackends)));
    case Kind::address:
    case Kind::address4:
    case Kind::address6: {
      const IpAddress address = value.as_address(key.name);
      require_family(value, key.name, address, key.kind);
      return json::string(address.to_string());
    }
    case Kind::held4:
    case Kind::held6:
      return read_held(value, key.name, key.kind);
    case Kind::network4:
    case Kind::network6:
      return read_network(value, key.name, key.kind);
    case Kind::addresses:
    case Kind::texts:
      return read_texts(value, key.name, key.kind);
    case Kind::flags:
      return read_flags(value, key.name);
    case Kind::pools:
      return read_pools(value, key.name);
    case Kind::options:
      break;
  }
  return read_options(value, key.name);
}

[[noreturn]] void refuse(const Value::Entry& entry) {
  // As Go reads JSON, which does not tell capital letters from small ones.
  const auto refused = std::ranges::find(kRefused, std::string_view(lower(entry.key)), &Refused::name);
  if (refused != kRefused.end()) {
    throw SpecError(entry.mark, fmt::format("{} {}", in_quotes(entry.key), refused->why));
  }
  std::vector<std::string_view> names;
  for (const Key& key : kKeys) names.push_back(key.name);
  throw SpecError(entry.mark, fmt::format("unknown key {} in daemon{}", in_quotes(entry.key),
                                          advice(entry.key, names, "those about networks")));
}

}  // namespace

json::object read_daemon(const Value& value) {
  json::object daemon;
  for (const Value::Entry& entry : value.as_mapping("daemon")) {
    const auto key = std::ranges::find(kKeys, std::string_view(entry.key), &Key::name);
    if (key == kKeys.end()) refuse(entry);
    daemon[entry.key] = read_value(entry.value, *key);
  }
  return daemon;
}

}  // namespace plumbline::spec
