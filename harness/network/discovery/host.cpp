#include "harness/network/discovery/host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/discovery/firewall_text.hpp"
#include "harness/network/discovery/resolv_conf.hpp"
#include "harness/network/discovery/source.hpp"

namespace plumbline::network {
namespace {

using boost::asio::awaitable;
using detail::Findings;
using detail::Sighting;

constexpr std::size_t kLongestName = 63;  // of a spec's nodes

/// As a spec's node may be called: letters, digits, "._-", not an address.
std::string spec_name(const std::string& name) {
  std::string allowed;
  for (const char letter : name.substr(0, kLongestName)) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
    allowed += plain ? letter : '_';
  }
  if (allowed.empty() || allowed.front() == '-') allowed.insert(0, "n");
  if (allowed == "." || allowed == ".." || IpAddress::parse(allowed)) allowed.insert(0, "n-");
  return allowed;
}

/// One that nobody has yet.
std::string free_name(const FoundNode& node, const std::set<std::string>& taken) {
  const std::string name = spec_name(node.name);
  if (!taken.contains(name)) return name;
  const std::string shorter = name.substr(0, kLongestName - 12);
  const std::string second =
      fmt::format("{}-{}", shorter,
                  node.locator.kind == Locator::Kind::pid ? node.locator.value.substr(0, 11)
                                                          : to_text(node.locator.kind));
  if (!taken.contains(second)) return second;
  for (unsigned number = 2;; ++number) {
    std::string next = fmt::format("{}-{}", shorter, number);
    if (!taken.contains(next)) return next;
  }
}

/// What a further source says of a namespace that another names better.
void merge_into(FoundNode& node, FoundNode other) {
  for (std::string& origin : other.origins) {
    const bool told = std::ranges::find(node.origins, origin) != node.origins.end();
    if (!told) node.origins.push_back(std::move(origin));
  }
  if (node.pid == 0) node.pid = other.pid;
  if (node.image.empty()) node.image = std::move(other.image);
  for (Membership& membership : other.memberships) {
    const bool told = std::ranges::find(node.memberships, membership) != node.memberships.end();
    if (!told) node.memberships.push_back(std::move(membership));
  }
  node.ports.insert(node.ports.end(), other.ports.begin(), other.ports.end());
  node.hostnames.insert(node.hostnames.end(), other.hostnames.begin(), other.hostnames.end());
}

/// Makes nodes of what the sources have seen, each namespace once.
class Gathering {
 public:
  explicit Gathering(HostView& view) : view_(view) {}

  /// False: not even that can be entered.
  bool add_host() {
    kernel::Netns own = kernel::Netns::current();
    try {
      own.run([] {});
    } catch (const Error& error) {
      if (error.error_number() != EPERM) throw;
      view_.notes.push_back(
          {"the network namespaces of this host may not be looked into by this user", "run it as root"});
      return false;
    }
    ResolvConf read = read_resolv_conf("/etc/resolv.conf");
    note_resolvers(kHostNode, read.unread);
    declare(kHostNode, Role::host, std::move(read.servers));
    own_ = own.inode();
    view_.network.add(kHostNode, std::move(own), LiveNetwork::Naming::unnamed);
    return true;
  }

  void add(std::vector<Sighting> sightings) {
    std::ranges::stable_sort(sightings, {},
                             [](const Sighting& seen) { return std::pair(seen.source, seen.guest); });
    for (Sighting& seen : sightings) add(std::move(seen));
    std::ranges::sort(view_.nodes, {}, &FoundNode::name);
  }

  Topology take_declared() { return std::move(declared_); }

 private:
  void declare(const std::string& name, Role role, std::vector<IpAddress> resolvers) {
    Node& node = declared_.nodes.emplace_back();
    node.name = name;
    node.role = role;
    node.resolvers = std::move(resolvers);
  }

  void note_resolvers(const std::string& name, const std::string& unread) {
    if (unread.empty()) return;
    view_.notes.push_back({fmt::format("{}: its resolv.conf could not be read: {}", name, unread), {}});
  }

  void add(Sighting seen) {
    const std::uint64_t inode = seen.where.netns.inode();
    const std::string origin = seen.node.origins.empty() ? std::string() : seen.node.origins.front();
    if (inode == own_) {
      view_.sharing[origin] = kHostNode;
      return;
    }
    const auto known = names_.find(inode);
    if (known != names_.end()) {
      const auto node = std::ranges::find(view_.nodes, known->second, &FoundNode::name);
      if (seen.source == detail::Source::engine) view_.sharing[origin] = known->second;
      merge_into(*node, std::move(seen.node));
      return;
    }
    const std::string name = free_name(seen.node, taken_);
    seen.node.name = name;
    note_resolvers(name, seen.where.resolvers_unread);
    declare(name, Role::container, std::move(seen.where.resolvers));
    view_.network.add(name, std::move(seen.where.netns), LiveNetwork::Naming::unnamed);
    view_.nodes.push_back(std::move(seen.node));
    names_.emplace(inode, name);
    taken_.insert(name);
  }

  HostView& view_;
  Topology declared_;
  std::uint64_t own_ = 0;
  std::map<std::uint64_t, std::string> names_;  ///< by the namespace's inode
  std::set<std::string> taken_{kHostNode};
};

/// The same socket under two names is one engine.
bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code problem;
  return !one.empty() && !other.empty() && std::filesystem::equivalent(one, other, problem) && !problem;
}

awaitable<void> look_everywhere(HostSources sources, Findings& findings) {
  const bool one = is_same_file(sources.sockets.docker, sources.sockets.podman);
  std::string docker = one ? std::string() : sources.sockets.docker;
  std::string podman = sources.sockets.podman;
  co_await detail::look_at_engine(Locator::Kind::docker, std::move(docker), findings);
  co_await detail::look_at_engine(Locator::Kind::podman, std::move(podman), findings);
  detail::look_at_names(sources.netns, findings);
  detail::look_at_cni(sources.cni_results, sources.cni_networks, findings);
  detail::look_at_processes(findings);
}

void add_networks(std::vector<NamedNetwork> networks, HostView& view) {
  for (NamedNetwork& network : networks) {
    const auto same = std::ranges::find_if(view.networks, [&](const NamedNetwork& known) {
      return known.owner == network.owner && known.name == network.name;
    });
    if (same == view.networks.end()) {
      view.networks.push_back(std::move(network));
    } else {
      for (const Prefix& subnet : network.subnets) {
        if (std::ranges::find(same->subnets, subnet) == same->subnets.end()) same->subnets.push_back(subnet);
      }
    }
  }
}

void read_firewalls(HostView& view) {
  for (const auto& [name, netns] : view.network.nodes()) {
    try {
      view.firewalls[name] = read_firewall(netns);
    } catch (const Error& error) {
      view.notes.push_back({fmt::format("{}: its packet filter: {}", name, error.what()), error.remedy()});
    }
  }
}

/// Whether nothing can come in: no link but the loopback, or one that is down and has no address, as the
/// kernel gives some to every namespace (tunl0, sit0).
bool is_closed(const Node& node) {
  return std::ranges::all_of(node.interfaces, [](const Interface& each) {
    if (each.kind == LinkKind::loopback) return true;
    const bool spare = each.kind == LinkKind::other && !each.lower && !each.peer;
    return spare && !each.up && each.addresses.empty();
  });
}

/// A process that shuts itself off (a service with PrivateNetwork, a browser) is no container:
/// it is told, and is no node.
void let_go_of_closed_processes(HostView& view) {
  std::vector<std::string> closed;
  std::erase_if(view.nodes, [&](const FoundNode& node) {
    const Node* read = view.topology.find(node.name);
    if (node.locator.kind != Locator::Kind::pid || read == nullptr || !is_closed(*read)) return false;
    closed.push_back(node.origins.front());
    view.network.remove(node.name);
    std::erase_if(view.topology.nodes, [&](const Node& each) { return each.name == node.name; });
    return true;
  });
  if (closed.empty()) return;
  view.looked_at.push_back(
      fmt::format("{}: in a network namespace of its own with nothing but the loopback, so "
                  "it is no node",
                  fmt::join(closed, ", ")));
}

/// The other end of a cable that leads to a namespace which nothing above has found.
void note_cables(HostView& view) {
  for (const Node& node : view.topology.nodes) {
    for (const Interface& interface : node.interfaces) {
      if (interface.kind != LinkKind::veth || interface.peer) continue;
      view.notes.push_back({fmt::format("{}:{} leads into a network namespace that was not found: no name or "
                                        "process leads to it",
                                        node.name, interface.name),
                            {}});
    }
  }
}

}  // namespace

const FoundNode* HostView::find(std::string_view name) const {
  const auto found = std::ranges::find(nodes, name, &FoundNode::name);
  return found == nodes.end() ? nullptr : &*found;
}

awaitable<HostView> discover_host(HostSources sources) {
  HostView view;
  Findings findings;
  co_await look_everywhere(std::move(sources), findings);
  view.looked_at = std::move(findings.looked_at);
  view.notes = std::move(findings.notes);
  add_networks(std::move(findings.networks), view);
  Gathering gathering(view);
  view.blind = !gathering.add_host();
  gathering.add(std::move(findings.sightings));
  if (view.blind) co_return view;
  view.topology = discover(view.network, gathering.take_declared());
  let_go_of_closed_processes(view);
  read_firewalls(view);
  note_cables(view);
  co_return view;
}

}  // namespace plumbline::network
