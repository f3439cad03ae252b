#include "harness/network/setup/cni_by_design.hpp"

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/ip.hpp"

namespace plumbline::network {
namespace {

namespace json = boost::json;

void collect(const json::object& object, const std::string& network, KeptNames& names) {
  const auto text_of = [&](const char* key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  if (const std::string bridge = text_of("bridge"); !bridge.empty()) names.bridges.insert(bridge);
  if (const std::string chain = text_of("iptablesAdminChainName"); !chain.empty()) {
    names.admin_chains.insert(chain);
  }
  if (const std::string device = text_of("device"); !device.empty() && text_of("type") == "host-device") {
    names.devices.insert(device);
  }
  if (const std::string folder = text_of("dataDir"); !folder.empty()) {
    names.note_folders.insert((std::filesystem::path(folder) / network).lexically_normal().string());
  }
}

/// Wherever it is: what plugins delegate to (flannel) is nested.
void collect_all(const json::value& value, const std::string& network, KeptNames& names) {
  if (value.is_array()) {
    for (const json::value& each : value.get_array()) collect_all(each, network, names);
  }
  if (!value.is_object()) return;
  collect(value.get_object(), network, names);
  for (const auto& member : value.get_object()) collect_all(member.value(), network, names);
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

/// The end that a bridge's VLAN has in the host: "cni0.100".
bool is_of_vlan(std::string_view link, const KeptNames& names) {
  return std::ranges::any_of(names.bridges, [&](const std::string& bridge) {
    if (!link.starts_with(bridge + ".")) return false;
    const std::string_view number = link.substr(bridge.size() + 1);
    return !number.empty() && number.size() <= 4 &&
           number.find_first_not_of("0123456789") == std::string_view::npos;
  });
}

bool is_kept_link(const HostEntry& entry, const KeptNames& names) {
  if (names.bridges.contains(entry.link)) return entry.text.ends_with(" of kind bridge");
  return entry.text.ends_with(" of kind veth") &&
         (is_of_vlan(entry.link, names) || is_of_vlan(entry.peer, names));
}

/// Made by iptables as soon as it is asked for anything there.
bool is_of_iptables(std::string_view table) {
  constexpr std::array<std::string_view, 5> tables{"filter", "nat", "mangle", "raw", "security"};
  const std::size_t space = table.find(' ');
  const std::string_view family = table.substr(0, space);
  return space != std::string_view::npos && (family == "ip" || family == "ip6" || family == "legacy") &&
         is_one_of(table.substr(space + 1), tables);
}

/// Of ipMasq and portmap, where they write nftables.
bool is_of_plugins(std::string_view table) {
  constexpr std::array<std::string_view, 3> tables{"inet cni_plugins_masquerade", "ip cni_hostport",
                                                   "ip6 cni_hostport"};
  return is_one_of(table, tables);
}

bool is_built_in(std::string_view chain) {
  constexpr std::array<std::string_view, 5> chains{"INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"};
  return is_one_of(chain, chains);
}

bool is_kept_in_table(const HostEntry& entry, const KeptNames& names) {
  const bool of_plugins = is_of_plugins(entry.table);
  if (!of_plugins && !is_of_iptables(entry.table)) return false;
  if (entry.chain.empty()) return entry.text == "nft table " + entry.table;
  if (!entry.rule.empty()) return is_shared_rule(entry, names);
  return is_shared_chain(entry.table, entry.chain, names) || (!of_plugins && is_built_in(entry.chain));
}

}  // namespace

KeptNames kept_names(const cni::Configuration& network) {
  KeptNames names;
  names.admin_chains.insert("CNI-ADMIN");
  names.note_folders.insert("/var/lib/cni/networks/" + network.name);
  for (const json::object& plugin : network.plugins) {
    collect_all(plugin, network.name, names);
    if (cni::type_of(plugin) == "bridge" && !plugin.contains("bridge")) names.bridges.insert("cni0");
  }
  return names;
}

bool is_note(const HostEntry& entry, const KeptNames& names) {
  const std::string_view text = entry.text;
  if (!text.starts_with("file /")) return false;
  const std::string_view path = text.substr(5, std::min(text.find(':'), text.size()) - 5);
  if (path == "/run/xtables.lock") return true;
  const std::size_t slash = path.rfind('/');
  if (!names.note_folders.contains(std::string(path.substr(0, slash)))) return false;
  const std::string_view name = path.substr(slash + 1);
  return name == "lock" || (name.starts_with("last_reserved_ip.") && name.size() == 18);
}

bool is_of_an_address(const HostEntry& route, const std::vector<HostEntry>& entries) {
  const std::string_view words = std::string_view(route.text).substr(std::string_view("route ").size());
  const auto to = Prefix::parse(words.substr(0, words.find(' ')));
  if (!route.automatic || !to) return false;
  // Of every IPv6 link.
  if (!to->address().is_v4() && (to->to_string() == "ff00::/8" || to->to_string() == "fe80::/64"))
    return true;
  return std::ranges::any_of(entries, [&](const HostEntry& entry) {
    constexpr std::string_view begin = "address ";
    if (!entry.text.starts_with(begin)) return false;
    const std::string_view text = std::string_view(entry.text).substr(begin.size());
    const auto held = InterfaceAddress::parse(text.substr(0, text.find(' ')));
    if (!held) return false;
    return entry.link == route.link &&
           (held->network() == *to || InterfaceAddress::parse(to->to_string()) ==
                                          InterfaceAddress{held->address, held->address.is_v4() ? 32 : 128});
  });
}

bool stays_by_design(const HostEntry& entry, const KeptNames& names) {
  if (is_note(entry, names)) return true;
  if (!entry.table.empty()) return is_kept_in_table(entry, names);
  if (entry.text.starts_with("link ")) return is_kept_link(entry, names);
  return entry.text.starts_with("address ") &&
         (names.bridges.contains(entry.link) || is_of_vlan(entry.link, names));
}

}  // namespace plumbline::network
