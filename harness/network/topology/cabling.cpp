#include "harness/network/topology/cabling.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/kernel/links/bridge.hpp"
#include "harness/kernel/links/veth.hpp"
#include "harness/kernel/netlink/batch.hpp"

namespace plumbline::network {
namespace {

namespace links = kernel::links;
namespace netlink = kernel::netlink;

using SiteByName = std::map<std::string_view, const Site*>;

std::string describe_veth(const Interface& end) {
  return fmt::format("creating veth {} to {}:{}", end.name, end.peer->node, end.peer->interface);
}

void add_bridge(const Site& site, const Interface& bridge, netlink::Batch& batch) {
  batch.add(links::create(
                links::Bridge{bridge.name, site.index_of(bridge.name), bridge.mac, bridge.mtu, bridge.up}),
            [&bridge] { return "creating bridge " + bridge.name; });
}

unsigned master_of(const Site& site, const Interface& end) {
  if (end.master.empty()) return 0;
  const unsigned master = site.index_of(end.master);
  if (master == 0) {
    throw Error(fmt::format("{}: interface {}: there is no bridge {} to be a port of", site.label(), end.name,
                            end.master),
                ErrorKind::usage);
  }
  return master;
}

void add_veth(const Site& site, const Interface& end, const SiteByName& by_name, netlink::Batch& batch) {
  const Site& peer_site = *by_name.at(end.peer->node);
  const Interface& peer = *peer_site.node->find_interface(end.peer->interface);
  if (!peer_site.planned(peer)) {
    throw Error(fmt::format("{}: {}: {} is there already", site.label(), describe_veth(end), peer.name),
                ErrorKind::usage);
  }
  links::Veth veth;
  veth.end = {end.name, std::nullopt, site.index_of(end.name), end.mac, end.mtu};
  veth.master = master_of(site, end);
  veth.up = end.up;
  veth.peer = {peer.name, std::nullopt, peer_site.index_of(peer.name), peer.mac, peer.mtu};
  if (&peer_site != &site) veth.peer.netns_fd = peer_site.netns->fd();
  batch.add(links::create(veth), [&end] { return describe_veth(end); });
}

// What is to be made must be of a kind made here, and a veth needs both its ends at hand.
void check_planned(const Site& site, const Interface& interface, const SiteByName& by_name) {
  const std::string label = fmt::format("{}: interface {}", site.label(), interface.name);
  switch (interface.kind) {
    case LinkKind::bridge:
      return;
    case LinkKind::loopback:
      throw Error(label + ": a namespace has one loopback, lo, and no more can be made", ErrorKind::usage);
    case LinkKind::other:
      throw Error(fmt::format("{}: links of kind \"{}\" cannot be made", label, interface.kind_name),
                  ErrorKind::usage);
    case LinkKind::veth:
      if (!interface.peer) throw Error(label + ": a veth needs a peer", ErrorKind::usage);
      const auto peer_site = by_name.find(interface.peer->node);
      if (peer_site == by_name.end() || !peer_site->second->node->find_interface(interface.peer->interface)) {
        throw Error(fmt::format("{}: its peer {}:{} is not built with it", label, interface.peer->node,
                                interface.peer->interface),
                    ErrorKind::usage);
      }
  }
}

void create_links_of(Site& site, const SiteByName& by_name) {
  netlink::Batch batch(site.label());
  for (const Interface& each : site.node->interfaces) {
    if (site.planned(each)) check_planned(site, each, by_name);
    if (each.kind == LinkKind::bridge && site.planned(each)) add_bridge(site, each, batch);
  }
  for (const Interface& each : site.node->interfaces) {
    if (each.kind != LinkKind::veth || !site.planned(each)) continue;
    const Interface& peer = *by_name.at(each.peer->node)->node->find_interface(each.peer->interface);
    if (leads(each, {site.node->name, each.name}, peer)) add_veth(site, each, by_name, batch);
  }
  site.socket.execute(batch);
}

}  // namespace

void plan_indices(Sites& sites) {
  for (Site& site : sites) {
    unsigned next = site.first_planned;
    for (const Interface& interface : site.node->interfaces) {
      if (site.indices.emplace(interface.name, next).second) ++next;
    }
  }
}

void create_links(Sites& sites) {
  SiteByName by_name;
  for (const Site& site : sites) by_name.emplace(site.node->name, &site);
  for (Site& site : sites) create_links_of(site, by_name);
}

bool leads(const Interface& end, const Endpoint& self, const Interface& peer) {
  if (end.master.empty() != peer.master.empty()) return !end.master.empty();
  return self < *end.peer;
}

}  // namespace plumbline::network
