#include "harness/network/topology/readiness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/batch.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/route.hpp"

namespace plumbline::network {
namespace {

namespace netlink = kernel::netlink;

constexpr std::uint8_t kForwarding = 3;  // BR_STATE_FORWARDING

// What one site waits for.
struct Awaited {
  std::set<unsigned> watched;  // interfaces that are up, whose addresses must be usable
  std::set<unsigned> running;  // of these, those that should have carrier
};

using SiteByName = std::map<std::string_view, const Site*>;

bool cabled(const Interface& end, const SiteByName& by_name) {
  if (end.kind != LinkKind::veth || !end.up || !end.peer) return false;
  const auto site = by_name.find(end.peer->node);
  if (site == by_name.end()) return false;
  const Interface* peer = site->second->node->find_interface(end.peer->interface);
  return peer != nullptr && peer->up;
}

Awaited awaited_of(const Site& site, const SiteByName& by_name) {
  Awaited awaited;
  for (const Interface& interface : site.node->interfaces) {
    if (!interface.up) continue;
    awaited.watched.insert(site.index_of(interface.name));
    if (!cabled(interface, by_name)) continue;
    awaited.running.insert(site.index_of(interface.name));
    const Interface* master =
        interface.master.empty() ? nullptr : site.node->find_interface(interface.master);
    if (master != nullptr && master->up) awaited.running.insert(site.index_of(master->name));
  }
  return awaited;
}

std::string missing_link(const netlink::Link& link) {
  if (!link.running) return fmt::format("{} has no carrier", link.name);
  if (link.port_state && *link.port_state != kForwarding) {
    return fmt::format("{} does not forward as a port of its bridge (state {})", link.name, *link.port_state);
  }
  if (link.ipv6 && link.ipv6->enabled && !link.ipv6->ready) {
    return fmt::format("IPv6 has not seen {} come up", link.name);
  }
  return {};
}

bool makes_link_local(const netlink::Link& link) {
  return link.ipv6 && link.ipv6->enabled && link.ipv6->ready && link.ipv6->link_local && !link.loopback;
}

// `links`: those watched, by index.
std::string missing_address(netlink::Socket& socket, const std::map<unsigned, netlink::Link>& links) {
  std::set<unsigned> without;  // link-local address
  for (const auto& [index, link] : links) {
    if (makes_link_local(link)) without.insert(index);
  }
  std::set<IpAddress> unrouted;
  const auto addresses = socket.dump(netlink::get_addresses(IpFamily::v6), "listing the IPv6 addresses",
                                     netlink::decode_address);
  for (const netlink::Address& each : addresses) {
    const auto link = links.find(each.index);
    if (link == links.end()) continue;
    if (each.tentative) {
      return fmt::format("{} of {} is still tentative", each.address.to_string(), link->second.name);
    }
    unrouted.insert(each.address.address);
    if (each.address.address.is_link_local()) without.erase(each.index);
  }
  if (!without.empty()) {
    return fmt::format("{} has no IPv6 link-local address", links.at(*without.begin()).name);
  }
  if (unrouted.empty()) return {};
  for (const auto& routes : socket.dump(netlink::get_routes(IpFamily::v6, kLocalTable),
                                        "listing the IPv6 local routes", netlink::decode_routes)) {
    for (const netlink::Route& route : routes) unrouted.erase(route.to.address());
  }
  if (unrouted.empty()) return {};
  return fmt::format("{} has no local route yet", unrouted.begin()->to_string());
}

// The watched links, by index.
std::map<unsigned, netlink::Link> look_at(netlink::Socket& socket, const std::set<unsigned>& watched) {
  // A dump takes the kernel's RTNL lock twice, in the way of the very work that is waited for.
  constexpr std::size_t kOneByOne = 4;
  std::map<unsigned, netlink::Link> links;
  const auto keep = [&](const netlink::Received& message) {
    auto link = netlink::decode_link(message);
    if (link && watched.contains(link->index)) links.insert_or_assign(link->index, std::move(*link));
    return std::optional<bool>();
  };
  if (watched.size() > kOneByOne) {
    socket.dump(netlink::get_links(), "listing the links", keep);
    return links;
  }
  netlink::Batch batch("looking whether it is up");
  for (const unsigned index : watched) {
    batch.add(
        netlink::get_link(index), [] { return "reading a link"; }, keep);
  }
  socket.execute(batch);
  return links;
}

// What is missing; empty when nothing is.
std::string missing(netlink::Socket& socket, const Awaited& awaited) {
  const auto links = look_at(socket, awaited.watched);
  for (const unsigned index : awaited.running) {
    const auto link = links.find(index);
    if (link == links.end()) return fmt::format("the interface with index {} is gone", index);
    if (std::string text = missing_link(link->second); !text.empty()) return text;
  }
  const bool ipv6 = std::any_of(links.begin(), links.end(), [](const auto& each) {
    return each.second.ipv6 && each.second.ipv6->enabled;
  });
  return ipv6 ? missing_address(socket, links) : std::string();
}

void await_site(Site& site, const Awaited& awaited, const Deadline& deadline) {
  if (missing(site.socket, awaited).empty()) return;
  // Subscribed before looking again, so that no change falls between the look and the wait.
  netlink::Socket events = netlink::Socket::open(*site.netns);
  for (const auto group :
       {netlink::Group::links, netlink::Group::ipv6_addresses, netlink::Group::ipv6_routes}) {
    events.subscribe(group);
  }
  for (;;) {
    const std::string what = missing(site.socket, awaited);
    if (what.empty()) return;
    if (!events.wait(deadline)) throw Error(fmt::format("waiting for the network to come up: {}", what));
  }
}

}  // namespace

void await_ready(Sites& sites, const Deadline& deadline) {
  SiteByName by_name;
  for (const Site& site : sites) by_name.emplace(site.node->name, &site);
  // What was configured last comes up last: once it is there, one look is enough at most others. Those with
  // many links come at the end, for looking at them costs most.
  std::vector<std::pair<Site*, Awaited>> order;
  for (auto site = sites.rbegin(); site != sites.rend(); ++site) {
    Awaited awaited = awaited_of(*site, by_name);
    if (!awaited.watched.empty()) order.emplace_back(&*site, std::move(awaited));
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& left, const auto& right) {
    return left.second.watched.size() < right.second.watched.size();
  });
  for (const auto& [site, awaited] : order) {
    try {
      await_site(*site, awaited, deadline);
    } catch (const Error& error) {
      throw error.within(site->label());
    }
  }
}

}  // namespace plumbline::network
