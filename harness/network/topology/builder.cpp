#include "harness/network/topology/builder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <initializer_list>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/network/topology/cabling.hpp"
#include "harness/network/topology/configure.hpp"
#include "harness/network/topology/readiness.hpp"

namespace plumbline::network {
namespace {

namespace netlink = kernel::netlink;

constexpr std::chrono::milliseconds kReadyWithin{10000};

// The order of a node's sysctls. Those of `default` shape interfaces made later, so they precede the links;
// ip_forward and `all` overwrite every interface's own value, so they precede those.
enum class SysctlStage { before_links, general, particular };

SysctlStage stage_of(std::string_view name) {
  const auto part = [name](std::string_view dotted, std::string_view slashed) {
    return name.find(dotted) != std::string_view::npos || name.find(slashed) != std::string_view::npos;
  };
  if (part(".default.", "/default/")) return SysctlStage::before_links;
  if (part(".conf.all.", "/conf/all/") || part(".ip_forward", "/ip_forward")) return SysctlStage::general;
  return SysctlStage::particular;
}

void write_sysctls(const Site& site, SysctlStage stage) {
  for (const auto& [name, value] : site.node->sysctls) {
    if (stage_of(name) == stage) kernel::write_sysctl(*site.netns, name, value);
  }
}

// Writes `value` to the sysctls `names` below `folder`. One that this kernel does not have (IPv6 may be
// absent) needs no setting. The folder is opened once: every namespace's /proc/sys/net/ipv4 is one more entry
// in the same hash chain, so walking there costs more the more namespaces there are.
void write_all(const char* folder, std::initializer_list<const char*> names, char value) {
  const Fd place(::open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place && errno == ENOENT) return;
  if (!place) throw Error::from_errno(errno, fmt::format("opening {}", folder));
  for (const char* name : names) {
    const Fd file(::openat(place.get(), name, O_WRONLY | O_CLOEXEC));
    if (!file && errno == ENOENT) continue;
    if (!file || ::write(file.get(), &value, 1) != 1) {
      throw Error::from_errno(errno, fmt::format("writing {} to {}/{}", value, folder, name));
    }
  }
}

// Of every namespace made here, called inside it.
//  router_solicitations: nobody here answers them, and on a bridge with N ports N times N copies of them,
//  sent as links come up, take longer than to build it all. accept_dad: an address under duplicate detection
//  cannot be used for 2 s. ratelimit, ratemask: limits on ICMP errors would make a reject look like a drop.
void write_defaults() {
  // A type outside the mask is under no limit at all, icmp_ratelimit and icmp_msgs_per_sec included.
  write_all("/proc/sys/net/ipv4", {"icmp_ratemask"}, '0');
  write_all("/proc/sys/net/ipv6",
            {"conf/default/accept_dad", "conf/default/router_solicitations", "icmp/ratelimit"}, '0');
}

// What stands before the line and column of an error in the node's own ruleset.
std::string nft_origin(const Node& node) {
  const std::string whose = "nft of " + node.name;
  return node.nft_origin.empty() ? whose : fmt::format("{} ({})", node.nft_origin, whose);
}

// A namespace is a descriptor, and so is its socket while it is built: raise the soft limit where many need
// it.
void reserve_descriptors(std::size_t nodes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(nodes * 4 + 256, limit.rlim_max);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // refused: running out is reported where it happens
}

/// How many nodes are worth a second thread.
constexpr std::size_t kWorthThreads = 8;

struct Fresh {
  std::optional<kernel::Netns> netns;
  std::optional<netlink::Socket> socket;
  std::exception_ptr problem;
};

void make(Fresh& fresh) {
  try {
    fresh.netns = kernel::Netns::create();
    const auto inside = fresh.netns->enter();
    write_defaults();
    fresh.socket = netlink::Socket::open();
  } catch (...) {
    fresh.problem = std::current_exception();
  }
}

/// A new namespace costs the kernel half a millisecond, most of it in parts that do not exclude one another:
/// so they are made side by side. (Links are not: concurrent creation fails in ways of its own.)
std::vector<Fresh> make_namespaces(std::size_t count) {
  std::vector<Fresh> made(count);
  const std::size_t cores = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  const std::size_t threads = count < kWorthThreads ? 1 : cores;
  const auto slice = [&made, threads](std::size_t first) {
    for (std::size_t i = first; i < made.size(); i += threads) make(made[i]);
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(slice, i);
  slice(0);
  others.clear();  // joins
  return made;
}

}  // namespace

std::string name_path(std::string_view node) {
  return fmt::format("{}/{}", kernel::kNetnsDirectory, node);
}

Builder::~Builder() {
  for (const auto& [name, netns] : made_) {
    try {
      kernel::Netns::unbind(name_path(name));
    } catch (const std::exception&) {  // the error that led here is the one to tell
    }
  }
}

void Builder::build() {
  check_buildable(addition_);
  reserve_descriptors(existing_.size() + addition_.nodes.size());
  open_sites();
  plan_indices(sites_);
  create_links(sites_);
  for (Site& site : sites_) configure(site);
  for (const Site& site : sites_) {
    try {
      finish(site);
    } catch (const Error& error) {
      throw error.within(site.label());
    }
  }
  await_ready(sites_, Deadline::after(kReadyWithin));
}

void Builder::open_sites() {
  const auto is_new = [this](const Node& node) { return !existing_.contains(node.name); };
  std::vector<Fresh> fresh =
      make_namespaces(static_cast<std::size_t>(std::ranges::count_if(addition_.nodes, is_new)));
  auto next = fresh.begin();
  for (const Node& node : addition_.nodes) {
    try {
      if (is_new(node)) {
        Fresh made = std::move(*next++);
        if (made.problem) std::rethrow_exception(made.problem);
        sites_.push_back(make_site(node, std::move(*made.netns), std::move(*made.socket)));
      } else {
        sites_.push_back(visit_site(node, existing_.find(node.name)->second));
      }
      write_sysctls(sites_.back(), SysctlStage::before_links);
    } catch (const Error& error) {
      throw error.within("node " + node.name);
    }
  }
}

Site Builder::make_site(const Node& node, kernel::Netns created, kernel::netlink::Socket socket) {
  created.bind(name_path(node.name));
  const kernel::Netns& netns = made_.emplace(node.name, std::move(created)).first->second;
  return Site{&node, &netns, std::move(socket), true, {{"lo", 1}}};
}

Site Builder::visit_site(const Node& node, const kernel::Netns& netns) {
  Site site{&node, &netns, netlink::Socket::open(netns), false, {}};
  for (const netlink::Link& link :
       site.socket.dump(netlink::get_links(), "listing the links", netlink::decode_link)) {
    site.indices.emplace(link.name, link.index);
    site.first_planned = std::max(site.first_planned, link.index + 1);
  }
  return site;
}

void Builder::finish(const Site& site) {
  write_sysctls(site, SysctlStage::general);
  write_sysctls(site, SysctlStage::particular);
  if (!site.node->firewall.tables.empty()) kernel::nft::apply(*site.netns, site.node->firewall);
  if (!site.node->nft_text.empty()) {
    kernel::nft::load_text(*site.netns, site.node->nft_text, nft_origin(*site.node));
  }
}

}  // namespace plumbline::network
