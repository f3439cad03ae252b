#include "harness/network/topology/configure.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/batch.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/route.hpp"
#include "harness/kernel/netlink/rule.hpp"

namespace plumbline::network {
namespace {

namespace netlink = kernel::netlink;

constexpr std::uint32_t kDefaultTable = 253;
constexpr std::uint32_t kMainPriority = 32766;
constexpr std::uint32_t kDefaultPriority = 32767;

unsigned index_or_throw(const Site& site, const std::string& name, const std::string& what) {
  const unsigned index = site.index_of(name);
  if (index == 0) {
    throw Error(fmt::format("{}: {}: there is no interface {}", site.label(), what, name), ErrorKind::usage);
  }
  return index;
}

std::string describe(const Route& route) {
  std::string text = "adding route " + route.to.to_string();
  if (route.via) text += " via " + route.via->to_string();
  if (!route.dev.empty()) text += " dev " + route.dev;
  if (route.table != kMainTable) text += fmt::format(" table {}", route.table);
  return text;
}

std::string describe(const RoutingRule& rule) {
  std::string text = "adding rule";
  if (rule.priority != 0) text += fmt::format(" priority {}", rule.priority);
  if (rule.from) text += " from " + rule.from->to_string();
  if (rule.to) text += " to " + rule.to->to_string();
  if (!rule.iif.empty()) text += " iif " + rule.iif;
  if (!rule.oif.empty()) text += " oif " + rule.oif;
  if (rule.mark != 0) text += fmt::format(" mark {:#x}", rule.mark);
  return text + fmt::format(" table {}", rule.table);
}

std::string describe(const Neighbour& neighbour) {
  return fmt::format("adding neighbour {} at {} on {}", neighbour.address.to_string(),
                     neighbour.mac.to_string(), neighbour.dev);
}

// Every namespace is born with these three rules (for each family), so there is nothing to add.
bool is_born_with(const RoutingRule& rule) {
  if (rule.from || rule.to || !rule.iif.empty() || !rule.oif.empty() || rule.mark != 0) return false;
  return (rule.priority == 0 && rule.table == kLocalTable) ||
         (rule.priority == kMainPriority && rule.table == kMainTable) ||
         (rule.priority == kDefaultPriority && rule.table == kDefaultTable);
}

// A loopback has these as soon as it is up.
bool is_born_with(const InterfaceAddress& address) {
  return address == InterfaceAddress{IpAddress::v4({127, 0, 0, 1}), 8} ||
         (!address.address.is_v4() && address.address.is_loopback());
}

netlink::RouteKind kind_of(RouteType type) {
  switch (type) {
    case RouteType::unicast:
      return netlink::RouteKind::unicast;
    case RouteType::local:
      return netlink::RouteKind::local;
    case RouteType::blackhole:
      return netlink::RouteKind::blackhole;
    case RouteType::unreachable:
      return netlink::RouteKind::unreachable;
    case RouteType::prohibit:
      return netlink::RouteKind::prohibit;
  }
  return netlink::RouteKind::unicast;
}

// Links made by this build already have their MAC and MTU; a bridge, and a veth's leading end, are up, and
// that end is a port. To say so again is cheaper than to remember it: the kernel sees that nothing changes.
void add_link(const Site& site, const Interface& interface, netlink::Batch& batch) {
  netlink::LinkChange change;
  change.index = site.index_of(interface.name);
  if (!site.planned(interface)) {
    change.mac = interface.mac;
    if (interface.mtu != 0) change.mtu = interface.mtu;
    if (!interface.up) change.up = false;
  }
  if (interface.up) change.up = true;
  if (!interface.master.empty()) {
    change.master = index_or_throw(site, interface.master, "interface " + interface.name);
  }
  if (interface.kind == LinkKind::loopback) change.mac.reset();
  batch.add(netlink::set_link(change), [&interface] {
    std::string text = interface.up ? "bringing up " + interface.name : "setting " + interface.name;
    return interface.master.empty() ? text : text + " as a port of " + interface.master;
  });
}

void add_links(const Site& site, netlink::Batch& batch) {
  if (site.fresh && site.node->find_interface("lo") == nullptr) {
    netlink::LinkChange change;
    change.index = site.index_of("lo");
    change.up = true;
    batch.add(netlink::set_link(change), [] { return "bringing up lo"; });
  }
  for (const Interface& interface : site.node->interfaces) add_link(site, interface, batch);
}

void add_addresses(const Site& site, netlink::Batch& batch) {
  for (const Interface& interface : site.node->interfaces) {
    const unsigned index = site.index_of(interface.name);
    for (const InterfaceAddress& address : interface.addresses) {
      if (interface.name == "lo" && is_born_with(address)) continue;
      batch.add(netlink::add_address({index, address}), [&address, &interface] {
        return fmt::format("adding address {} to {}", address.to_string(), interface.name);
      });
    }
  }
}

void add_routes(const Site& site, netlink::Batch& batch) {
  for (const Route& route : site.node->routes) {
    if (route.automatic) continue;
    netlink::Route added;
    added.to = route.to;
    added.via = route.via;
    if (!route.dev.empty()) added.dev = index_or_throw(site, route.dev, describe(route));
    added.table = route.table;
    added.kind = kind_of(route.type);
    added.source = route.source;
    added.metric = route.metric;
    batch.add(netlink::add_route(added), [&route] { return describe(route); });
  }
}

void add_rules(const Site& site, netlink::Batch& batch) {
  for (const RoutingRule& rule : site.node->rules) {
    if (is_born_with(rule)) continue;
    netlink::Rule added{rule.family, std::nullopt, rule.from, rule.to,
                        rule.iif,    rule.oif,     rule.mark, rule.table};
    if (rule.priority != 0) added.priority = rule.priority;
    batch.add(netlink::add_rule(added), [&rule] { return describe(rule); });
  }
}

void add_neighbours(const Site& site, netlink::Batch& batch) {
  for (const Neighbour& neighbour : site.node->neighbours) {
    netlink::Neighbour added;
    added.index = index_or_throw(site, neighbour.dev, describe(neighbour));
    added.address = neighbour.address;
    added.mac = neighbour.mac;
    batch.add(netlink::add_neighbour(added), [&neighbour] { return describe(neighbour); });
  }
}

}  // namespace

void configure(Site& site) {
  netlink::Batch batch(site.label());
  add_links(site, batch);
  add_addresses(site, batch);
  add_routes(site, batch);
  add_rules(site, batch);
  add_neighbours(site, batch);
  site.socket.execute(batch);
}

}  // namespace plumbline::network
