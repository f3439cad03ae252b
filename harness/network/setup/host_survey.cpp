#include "harness/network/setup/host_survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/route.hpp"
#include "harness/kernel/netlink/rule.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netlink/xfrm.hpp"
#include "harness/kernel/netns/module.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/network/setup/host_survey_nft.hpp"

namespace plumbline::network {
namespace {

namespace netlink = kernel::netlink;
using Names = std::map<unsigned, std::string>;  // of links, by index

/// The name; empty for none.
std::string name_of(const Names& names, unsigned index) {
  const auto found = names.find(index);
  return found == names.end() ? std::string() : found->second;
}

/// " dev eth0"; empty for none.
std::string dev_of(const Names& names, unsigned index) {
  const std::string name = name_of(names, index);
  return name.empty() ? name : " dev " + name;
}

HostEntry entry_of(std::string text, std::string removal, std::string link = {}) {
  HostEntry entry;
  entry.text = std::move(text);
  entry.removal = std::move(removal);
  entry.link = std::move(link);
  return entry;
}

Names survey_links(netlink::Socket& socket, std::vector<HostEntry>& entries) {
  const auto links = socket.dump(netlink::get_links(), "listing the links", netlink::decode_link);
  Names names;
  for (const auto& each : links) names.emplace(each.index, each.name);
  for (const auto& each : links) {
    HostEntry entry =
        entry_of(fmt::format("link {}{}", each.name, each.kind.empty() ? "" : " of kind " + each.kind),
                 "ip link delete " + each.name, each.name);
    if (each.kind == "veth" && !each.link_nsid) entry.peer = name_of(names, each.link);
    entries.push_back(std::move(entry));
  }
  return names;
}

void survey_addresses(netlink::Socket& socket, const Names& names, std::vector<HostEntry>& entries) {
  for (const auto& each :
       socket.dump(netlink::get_addresses(), "listing the addresses", netlink::decode_address)) {
    const std::string words = each.address.to_string() + dev_of(names, each.index);
    entries.push_back(entry_of("address " + words, "ip address delete " + words, name_of(names, each.index)));
  }
  for (const auto& each :
       socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour_entry)) {
    if (each.state != netlink::NeighbourState::permanent) continue;
    const std::string words = each.address.to_string() + dev_of(names, each.index);
    entries.push_back(
        entry_of("permanent neighbour " + words, "ip neighbour delete " + words, name_of(names, each.index)));
  }
}

std::string_view kind_of(const netlink::Route& route) {
  switch (route.kind) {
    case netlink::RouteKind::blackhole:
      return "blackhole ";
    case netlink::RouteKind::unreachable:
      return "unreachable ";
    case netlink::RouteKind::prohibit:
      return "prohibit ";
    case netlink::RouteKind::local:
    case netlink::RouteKind::unicast:
      break;
  }
  return "";
}

void survey_routes(netlink::Socket& socket, IpFamily family, const Names& names,
                   std::vector<HostEntry>& entries) {
  const char* const ip = family == IpFamily::v4 ? "ip" : "ip -6";
  for (const auto& routes :
       socket.dump(netlink::get_routes(family), "listing the routes", netlink::decode_routes)) {
    for (const netlink::Route& each : routes) {
      const std::string words =
          fmt::format("{}{}{}{}{} table {}", kind_of(each), each.to.to_string(),
                      each.via ? " via " + each.via->to_string() : "", dev_of(names, each.dev),
                      each.source ? " src " + each.source->to_string() : "", each.table);
      entries.push_back(
          entry_of("route " + words, fmt::format("{} route delete {}", ip, words), name_of(names, each.dev)));
      entries.back().automatic = each.automatic;
    }
  }
  for (const auto& each :
       socket.dump(netlink::get_rules(family), "listing the rules", netlink::decode_rule)) {
    const std::string words =
        fmt::format("{}{}{}{} table {}", each.from ? " from " + each.from->to_string() : "",
                    each.to ? " to " + each.to->to_string() : "", each.iif.empty() ? "" : " iif " + each.iif,
                    each.oif.empty() ? "" : " oif " + each.oif, each.table);
    entries.push_back(entry_of(fmt::format("routing rule {}:{}", each.priority.value_or(0), words),
                               fmt::format("{} rule delete priority {}", ip, each.priority.value_or(0))));
  }
}

/// Of IPsec, where the kernel has it already: to ask for it would load it.
void survey_xfrm(const kernel::Netns& host, std::vector<HostEntry>& entries) {
  if (!kernel::has_module("xfrm_user")) return;
  netlink::Socket socket = netlink::Socket::open_xfrm(host);
  for (const auto& each :
       socket.dump(netlink::get_xfrm_policies(), "listing IPsec's policies", netlink::decode_xfrm_policy)) {
    const std::string words =
        fmt::format("src {} dst {} dir {}", each.from.to_string(), each.to.to_string(), each.direction);
    entries.push_back(entry_of(fmt::format("xfrm policy {}{}", words, each.blocks ? " action block" : ""),
                               "ip xfrm policy delete " + words));
  }
  for (const auto& each :
       socket.dump(netlink::get_xfrm_states(), "listing IPsec's states", netlink::decode_xfrm_state)) {
    const std::string words = fmt::format("src {} dst {} proto {} spi {:#x}", each.from.to_string(),
                                          each.to.to_string(), each.protocol, each.spi);
    entries.push_back(entry_of("xfrm state " + words, "ip xfrm state delete " + words));
  }
}

void survey_legacy(const kernel::Netns& host, IpFamily family, std::vector<HostEntry>& entries) {
  const std::string program = family == IpFamily::v4 ? "iptables-legacy" : "ip6tables-legacy";
  for (const std::string& name : kernel::iptables::table_names(host, family)) {
    const auto table = kernel::iptables::read_table(host, family, name);
    if (!table) continue;
    for (const auto& [chain, content] : *table) {
      entries.push_back({fmt::format("chain of {} {}: {}", program, name, chain), chain, "legacy " + name});
      entries.back().removal = fmt::format("{0} -t {1} -F {2} && {0} -t {1} -X {2}", program, name, chain);
      if (content.policy == "drop") {
        entries.push_back(entry_of(fmt::format("policy DROP of the chain of {} {}: {}", program, name, chain),
                                   fmt::format("{} -t {} -P {} ACCEPT", program, name, chain)));
      }
      for (const auto& rule : content.rules) {
        entries.push_back(
            {fmt::format("rule of {} {}: {}", program, name, rule.text), chain, "legacy " + name, rule.text});
        if (!rule.text.starts_with("-A ")) continue;
        entries.back().removal = fmt::format("{} -t {} -D {}", program, name, rule.text.substr(3));
      }
    }
  }
}

}  // namespace

std::vector<HostEntry> survey(const kernel::Netns& host) {
  std::vector<HostEntry> entries;
  netlink::Socket socket = netlink::Socket::open(host);
  const Names names = survey_links(socket, entries);
  survey_addresses(socket, names, entries);
  survey_xfrm(host, entries);
  std::vector<HostEntry> rules = nft_entries(kernel::nft::list_text(host, kernel::nft::ListCounters::no));
  std::ranges::move(rules, std::back_inserter(entries));
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    survey_routes(socket, family, names, entries);
    survey_legacy(host, family, entries);
  }
  return entries;
}

}  // namespace plumbline::network
