#include "harness/network/topology/readiness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
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

// A node as it is waited for.
struct Watched {
  std::string label;
  const kernel::Netns* netns;
  netlink::Socket* socket;
  Awaited awaited;
};

using NodeByName = std::map<std::string_view, const Node*>;

bool cabled(const Interface& end, const NodeByName& by_name) {
  if (end.kind != LinkKind::veth || !end.up || !end.peer) return false;
  const auto node = by_name.find(end.peer->node);
  if (node == by_name.end()) return false;
  const Interface* peer = node->second->find_interface(end.peer->interface);
  return peer != nullptr && peer->up;
}

// `index_of` tells an interface's index by its name.
template <class IndexOf>
Awaited awaited_of(const Node& node, const NodeByName& by_name, const IndexOf& index_of) {
  Awaited awaited;
  for (const Interface& interface : node.interfaces) {
    if (!interface.up) continue;
    awaited.watched.insert(index_of(interface.name));
    if (!cabled(interface, by_name)) continue;
    awaited.running.insert(index_of(interface.name));
    const Interface* master = interface.master.empty() ? nullptr : node.find_interface(interface.master);
    if (master != nullptr && master->up) awaited.running.insert(index_of(master->name));
  }
  return awaited;
}

// `links`: those watched, by index. The ports of a bridge that is down never forward.
std::string missing_link(const netlink::Link& link, const std::map<unsigned, netlink::Link>& links) {
  if (!link.running) return fmt::format("{} has no carrier", link.name);
  if (link.port_state && *link.port_state != kForwarding && links.contains(link.master)) {
    return fmt::format("{} does not forward as a port of its bridge (state {})", link.name, *link.port_state);
  }
  if (link.ipv6 && link.ipv6->enabled && !link.ipv6->ready) {
    return fmt::format("IPv6 has not seen {} come up", link.name);
  }
  return {};
}

// A port of a bridge needs none of its own, and loses it where its addresses go to the bridge (`ip addr
// flush`).
bool makes_link_local(const netlink::Link& link) {
  if (link.master != 0) return false;
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
    // Of its own accord neither of these ends: another holds it, or it cannot be asked who does.
    if (each.tentative && (each.duplicate || !link->second.running)) {
      if (each.address.address.is_link_local()) without.erase(each.index);
      continue;
    }
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
  std::string of_bridge;
  for (const unsigned index : awaited.running) {
    const auto link = links.find(index);
    if (link == links.end()) return fmt::format("the interface with index {} is gone", index);
    std::string text = missing_link(link->second, links);
    if (text.empty()) continue;
    if (link->second.kind != "bridge") return text;
    of_bridge = std::move(text);
  }
  // Told last: what a bridge lacks, it lacks for want of a port.
  if (!of_bridge.empty()) return of_bridge;
  const bool ipv6 = std::any_of(links.begin(), links.end(), [](const auto& each) {
    return each.second.ipv6 && each.second.ipv6->enabled;
  });
  return ipv6 ? missing_address(socket, links) : std::string();
}

void await_node(const Watched& node, const Deadline& deadline) {
  if (missing(*node.socket, node.awaited).empty()) return;
  // Subscribed before looking again, so that no change falls between the look and the wait.
  netlink::Socket events = netlink::Socket::open(*node.netns);
  for (const auto group :
       {netlink::Group::links, netlink::Group::ipv6_addresses, netlink::Group::ipv6_routes}) {
    events.subscribe(group);
  }
  for (;;) {
    const std::string what = missing(*node.socket, node.awaited);
    if (what.empty()) return;
    if (!events.wait(deadline)) throw Error(fmt::format("waiting for the network to come up: {}", what));
  }
}

// What was configured last comes up last: once it is there, one look is enough at most others. Those with
// many links come at the end, for looking at them costs most.
void await_all(std::vector<Watched>& order, const Deadline& deadline) {
  std::reverse(order.begin(), order.end());
  std::stable_sort(order.begin(), order.end(), [](const Watched& left, const Watched& right) {
    return left.awaited.watched.size() < right.awaited.watched.size();
  });
  for (const Watched& node : order) {
    if (node.awaited.watched.empty()) continue;
    try {
      await_node(node, deadline);
    } catch (const Error& error) {
      throw error.within(node.label);
    }
  }
}

}  // namespace

void await_ready(Sites& sites, const Deadline& deadline) {
  NodeByName by_name;
  for (const Site& site : sites) by_name.emplace(site.node->name, site.node);
  std::vector<Watched> order;
  for (Site& site : sites) {
    const auto index_of = [&site](const std::string& interface) { return site.index_of(interface); };
    order.push_back({site.label(), site.netns, &site.socket, awaited_of(*site.node, by_name, index_of)});
  }
  await_all(order, deadline);
}

void await_ready(const LiveNetwork& network, const Topology& found, const Deadline& deadline) {
  NodeByName by_name;
  for (const Node& node : found.nodes) by_name.emplace(node.name, &node);
  std::deque<netlink::Socket> sockets;
  std::vector<Watched> order;
  for (const Node& node : found.nodes) {
    const auto there = network.nodes().find(node.name);
    if (there == network.nodes().end()) continue;
    const auto index_of = [&node](const std::string& interface) {
      return node.find_interface(interface)->index;
    };
    sockets.push_back(netlink::Socket::open(there->second));
    order.push_back(
        {"node " + node.name, &there->second, &sockets.back(), awaited_of(node, by_name, index_of)});
  }
  await_all(order, deadline);
}

}  // namespace plumbline::network
