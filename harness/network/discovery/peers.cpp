#include "harness/network/discovery/peers.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "harness/kernel/netlink/batch.hpp"
#include "harness/kernel/netlink/nsid.hpp"

namespace plumbline::network {
namespace {

namespace netlink = kernel::netlink;

struct Found {
  std::size_t node;  // in `nodes`
  const netlink::Link* link;
};
// Links by their own index and their peer's: what a peer must look like, whatever its namespace.
using ByIndices = std::multimap<std::pair<unsigned, unsigned>, Found>;
// One node's numbers of others, by their place in `nodes`.
using Numbers = std::map<std::size_t, std::int32_t>;

bool is_cabled(const netlink::Link& link) {
  return link.kind == "veth" && link.link != 0;
}

// Its frames leave by another interface, and come in there, whose node they are no concern of.
bool is_stacked(const netlink::Link& link) {
  return link.kind == "macvlan" && link.link != 0;
}

ByIndices by_indices(const std::vector<NodeLinks>& nodes) {
  ByIndices all;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const netlink::Link& link : nodes[i].links) {
      if (is_cabled(link)) all.emplace(std::pair(link.index, link.link), Found{i, &link});
    }
  }
  return all;
}

const netlink::Link* link_of_index(const NodeLinks& node, unsigned index) {
  const auto found = std::ranges::find(node.links, index, &netlink::Link::index);
  return found == node.links.end() ? nullptr : &*found;
}

// Asks for the numbers of those nodes alone that hold a fitting link: asking for all would be N² questions.
Numbers ask_numbers(std::vector<NodeLinks>& nodes, std::size_t self, const ByIndices& all) {
  std::set<std::size_t> candidates;
  for (const netlink::Link& link : nodes[self].links) {
    if (!link.link_nsid) continue;
    for (std::size_t other = 0; is_stacked(link) && other < nodes.size(); ++other) {
      const netlink::Link* lower = link_of_index(nodes[other], link.link);
      if (lower != nullptr && !is_stacked(*lower)) candidates.insert(other);
    }
    if (!is_cabled(link)) continue;
    const auto [first, last] = all.equal_range({link.link, link.index});
    for (auto each = first; each != last; ++each) candidates.insert(each->second.node);
  }
  candidates.erase(self);
  Numbers numbers;
  netlink::Batch batch("node " + nodes[self].name);
  for (const std::size_t other : candidates) {
    batch.add(
        netlink::get_nsid(nodes[other].netns->fd()),
        [&name = nodes[other].name] { return "asking for its number of node " + name; },
        [&numbers, other](const netlink::Received& answer) {
          if (const auto nsid = netlink::decode_nsid(answer)) numbers.emplace(other, *nsid);
        });
  }
  nodes[self].socket.execute(batch);
  return numbers;
}

std::optional<Endpoint> peer_of(const std::vector<NodeLinks>& nodes, std::size_t self,
                                const netlink::Link& link, const ByIndices& all, const Numbers& numbers) {
  const auto [first, last] = all.equal_range({link.link, link.index});
  for (auto each = first; each != last; ++each) {
    const Found& other = each->second;
    const auto number = numbers.find(other.node);
    const bool same_place =
        link.link_nsid ? number != numbers.end() && number->second == *link.link_nsid : other.node == self;
    if (same_place) return Endpoint{nodes[other.node].name, other.link->name};
  }
  return std::nullopt;
}

std::optional<Endpoint> lower_of(const std::vector<NodeLinks>& nodes, std::size_t self,
                                 const netlink::Link& link, const Numbers& numbers) {
  std::size_t place = self;
  if (link.link_nsid) {
    const auto known = std::ranges::find(numbers, *link.link_nsid, &Numbers::value_type::second);
    if (known == numbers.end()) return std::nullopt;
    place = known->first;
  }
  const netlink::Link* lower = link_of_index(nodes[place], link.link);
  if (lower == nullptr) return std::nullopt;
  return Endpoint{nodes[place].name, lower->name};
}

// The name of the link of that index; empty when there is none.
std::string name_of_link(netlink::Socket& socket, unsigned index) {
  const auto links = socket.dump(netlink::get_links(), "listing the links", netlink::decode_link);
  const auto found = std::ranges::find(links, index, &netlink::Link::index);
  return found == links.end() ? std::string() : found->name;
}

// The node that `socket`'s namespace knows by that number; empty: none.
std::string node_of(const LiveNetwork& network, netlink::Socket& socket, std::int32_t nsid) {
  std::string found;
  netlink::Batch batch("asking for the nodes' numbers");
  for (const auto& [name, netns] : network.nodes()) {
    batch.add(
        netlink::get_nsid(netns.fd()), [&name = name] { return "node " + name; },
        [&found, nsid, &name = name](const netlink::Received& answer) {
          if (netlink::decode_nsid(answer) == nsid) found = name;
        });
  }
  socket.execute(batch);
  return found;
}

}  // namespace

std::optional<Endpoint> find_peer(const LiveNetwork& network, std::string_view node,
                                  std::string_view interface) {
  netlink::Socket socket = netlink::Socket::open(network.netns(node));
  const auto links = socket.dump(netlink::get_links(), "listing the links", netlink::decode_link);
  const auto link = std::ranges::find(links, interface, &netlink::Link::name);
  if (link == links.end() || !is_cabled(*link)) return std::nullopt;
  std::string place(node);
  if (link->link_nsid) place = node_of(network, socket, *link->link_nsid);
  if (place.empty()) return std::nullopt;
  netlink::Socket there = netlink::Socket::open(network.netns(place));
  std::string name = name_of_link(there, link->link);
  if (name.empty()) return std::nullopt;
  return Endpoint{std::move(place), std::move(name)};
}

void find_peers(std::vector<NodeLinks>& nodes, Topology& topology) {
  const ByIndices all = by_indices(nodes);
  for (std::size_t self = 0; self < nodes.size(); ++self) {
    Node* node = topology.find(nodes[self].name);
    if (node == nullptr) continue;
    const Numbers numbers = ask_numbers(nodes, self, all);
    for (const netlink::Link& link : nodes[self].links) {
      Interface* interface = node->find_interface(link.name);
      if (interface == nullptr) continue;
      if (is_cabled(link)) interface->peer = peer_of(nodes, self, link, all, numbers);
      if (is_stacked(link)) interface->lower = lower_of(nodes, self, link, numbers);
    }
  }
}

}  // namespace plumbline::network
