#include "harness/engine/check/live_facts.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/engine/check/chains.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/netlink/fdb.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netns/module.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::engine {
namespace {

namespace netlink = kernel::netlink;
using proof::Chain;

void add_iptables_legacy(std::vector<Chain>& chains, const kernel::Netns& netns, IpFamily family) {
  for (const std::string& name : kernel::iptables::table_names(netns, family)) {
    const auto table = kernel::iptables::read_table(netns, family, name);
    if (table) add_legacy_table(chains, family, name, *table);
  }
}

}  // namespace

const kernel::Netns* LiveFacts::netns(std::string_view node) const {
  const auto found = stage_.network().nodes().find(node);
  return found == stage_.network().nodes().end() ? nullptr : &found->second;
}

const network::Node* LiveFacts::node(std::string_view name) {
  auto known = nodes_.find(name);
  if (known == nodes_.end()) {
    known = nodes_.emplace(name, std::nullopt).first;
    if (netns(name) != nullptr) {
      try {
        known->second = stage_.look_at(name);
      } catch (const Error&) {  // gone meanwhile
      }
    }
  }
  return known->second ? &*known->second : nullptr;
}

const std::vector<netlink::Link>& LiveFacts::links(std::string_view node) {
  const auto known = links_.find(node);
  if (known != links_.end()) return known->second;
  std::vector<netlink::Link> links;
  if (const kernel::Netns* inside = netns(node)) {
    try {
      auto socket = netlink::Socket::open(*inside);
      links = socket.dump(netlink::get_links(), "listing the links", netlink::decode_link);
    } catch (const Error&) {  // gone meanwhile
    }
  }
  return links_.emplace(node, std::move(links)).first->second;
}

std::optional<netlink::Link> LiveFacts::link(std::string_view node, std::string_view interface) {
  const auto& all = links(node);
  const auto found = std::ranges::find(all, interface, &netlink::Link::name);
  return found == all.end() ? std::nullopt : std::optional(*found);
}

proof::RouteAnswer LiveFacts::route(std::string_view node, const proof::RouteQuestion& question) {
  proof::RouteAnswer answer;
  answer.error = ENODEV;
  const kernel::Netns* inside = netns(node);
  if (inside == nullptr) return answer;
  netlink::RouteLookup lookup;
  lookup.to = question.to;
  lookup.from = question.from;
  lookup.mark = question.mark;
  if (!question.iif.empty()) {
    const auto came_by = link(node, question.iif);
    if (!came_by) return answer;
    lookup.iif = came_by->index;
  }
  if (!question.oif.empty()) {
    const auto insisted = link(node, question.oif);
    if (!insisted) return answer;
    lookup.oif = insisted->index;
  }
  try {
    auto socket = netlink::Socket::open(*inside);
    const netlink::LookupResult result = netlink::look_up(socket, lookup);
    answer.error = result.error;
    if (!result.route) return answer;
    answer.error = 0;
    answer.type = result.route->type;
    answer.via = result.route->via;
    answer.source = result.route->source;
    answer.table = result.route->table;
    const auto& all = links(node);
    const auto out = std::ranges::find(all, result.route->dev, &netlink::Link::index);
    if (out != all.end()) answer.dev = out->name;
  } catch (const Error& error) {
    answer.error = error.error_number() != 0 ? error.error_number() : EIO;
  }
  return answer;
}

std::vector<proof::NeighbourFact> LiveFacts::neighbours(std::string_view node) {
  std::vector<proof::NeighbourFact> neighbours;
  const kernel::Netns* inside = netns(node);
  if (inside == nullptr) return neighbours;
  try {
    auto socket = netlink::Socket::open(*inside);
    const auto& all = links(node);
    for (const netlink::NeighbourEntry& entry :
         socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour_entry)) {
      const auto dev = std::ranges::find(all, entry.index, &netlink::Link::index);
      neighbours.push_back(
          {dev == all.end() ? std::string() : dev->name, entry.address, entry.mac, entry.state});
    }
  } catch (const Error&) {  // gone meanwhile
  }
  return neighbours;
}

std::vector<proof::ForwardingFact> LiveFacts::forwarding(std::string_view node, std::string_view bridge) {
  std::vector<proof::ForwardingFact> known;
  const kernel::Netns* inside = netns(node);
  const auto itself = link(node, bridge);
  if (inside == nullptr || !itself) return known;
  try {
    auto socket = netlink::Socket::open(*inside);
    for (const netlink::FdbEntry& entry : socket.dump(
             netlink::get_fdb(itself->index), "listing the forwarding table", netlink::decode_fdb_entry)) {
      const auto port = std::ranges::find(links(node), entry.port, &netlink::Link::index);
      if (entry.bridge != itself->index || port == links(node).end()) continue;
      known.push_back({entry.mac, port->name, entry.own, entry.fixed});
    }
  } catch (const Error&) {  // gone meanwhile
  }
  return known;
}

std::optional<std::string> LiveFacts::sysctl(std::string_view node, const std::string& path) {
  const kernel::Netns* inside = netns(node);
  if (inside == nullptr) return std::nullopt;
  try {
    return kernel::read_sysctl(*inside, path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

const std::vector<Chain>& LiveFacts::chains(std::string_view node) {
  const auto known = chains_.find(node);
  if (known != chains_.end()) return known->second;
  std::vector<Chain> chains;
  if (const kernel::Netns* inside = netns(node)) {
    try {
      // A kernel that is asked for what it has not loaded yet loads it.
      if (!stage_.is_live() || kernel::has_module("nf_tables")) {
        add_nft_listing(chains, kernel::nft::list_text(*inside));
      }
      add_iptables_legacy(chains, *inside, IpFamily::v4);
      add_iptables_legacy(chains, *inside, IpFamily::v6);
    } catch (const Error&) {  // what was read by then is told
    }
  }
  return chains_.emplace(node, std::move(chains)).first->second;
}

std::string LiveFacts::silence_of_docker() {
  const std::string& path = stage_.docker_socket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return {};
  path.copy(static_cast<char*>(address.sun_path), path.size());
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // NOLINTNEXTLINE(*-reinterpret-cast): the sockets' interface
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  if (errno == ECONNREFUSED) return fmt::format("nobody listens at {} any more", path);
  return errno == ENOENT ? fmt::format("there is no socket {}", path) : std::string();
}

}  // namespace plumbline::engine
