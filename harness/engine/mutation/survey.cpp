#include "harness/engine/mutation/survey.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/engine/mutation/words.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/kernel/process/process.hpp"

namespace plumbline::engine::mutation {
namespace {

namespace fs = std::filesystem;
using Sysctls = std::map<std::string, std::string>;

/// What `command`, a shell's, prints in the namespace.
std::string output_of(const kernel::Netns& netns, const std::string& command) {
  boost::asio::io_context loop{1};
  kernel::Ended ended;
  std::exception_ptr problem;
  kernel::Command start;
  start.argv = {"/bin/sh", "-c", command};
  start.netns = &netns;
  const auto run = [&]() -> boost::asio::awaitable<void> { ended = co_await kernel::run(start); };
  boost::asio::co_spawn(loop, run(), [&](const std::exception_ptr& thrown) { problem = thrown; });
  loop.run();
  if (problem) std::rethrow_exception(problem);
  if (ended.status != 0 || ended.timed_out) {
    throw Error(fmt::format("{}: exit status {}: {}", command, ended.status, ended.output),
                ErrorKind::environment)
        .with_remedy(
            "install what it names; mutants are made by ip, nft, sysctl and, for its rules, iptables-legacy");
  }
  if (ended.output.size() >= kernel::kLongestOutput)
    throw Error(fmt::format("{}: more than {} bytes to mutate", command, kernel::kLongestOutput),
                ErrorKind::usage);
  return std::move(ended.output);
}

/// Where the namespace has no IPv6, ip says so and lists nothing.
std::string listed_by_ip(const kernel::Netns& netns, const std::string& arguments) {
  return output_of(netns, "ip " + arguments + " 2>/dev/null");
}

std::string saved_by_iptables(const kernel::Netns& netns, IpFamily family) {
  if (kernel::iptables::table_names(netns, family).empty()) return {};
  return output_of(netns, family == IpFamily::v4 ? "iptables-legacy-save" : "ip6tables-legacy-save");
}

/// Dotted, unless a part of it holds a dot.
std::string sysctl_name(const fs::path& path) {
  std::vector<std::string> parts;
  bool dotted = true;
  for (const fs::path& part : path.lexically_relative("/proc/sys")) {
    parts.push_back(part.string());
    dotted = dotted && parts.back().find('.') == std::string::npos;
  }
  return fmt::format("{}", fmt::join(parts, dotted ? "." : "/"));
}

std::vector<std::string> sysctl_names(const kernel::Netns& netns) {
  const kernel::Netns::Entered inside(netns);
  std::vector<std::string> names;
  std::error_code problem;
  fs::recursive_directory_iterator entry("/proc/sys/net", fs::directory_options::skip_permission_denied,
                                         problem);
  for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    const fs::perms both = fs::perms::owner_read | fs::perms::owner_write;
    std::error_code gone;
    if (entry->is_regular_file(gone) && (entry->status(gone).permissions() & both) == both)
      names.push_back(sysctl_name(entry->path()));
  }
  return names;
}

Sysctls sysctls_of(const kernel::Netns& netns) {
  Sysctls sysctls;
  for (const std::string& name : sysctl_names(netns)) {
    try {
      if (auto value = kernel::read_sysctl(netns, name)) sysctls[name] = std::move(*value);
    } catch (const Error&) {  // one that cannot be read before it was set (stable_secret)
    }
  }
  return sysctls;
}

std::vector<std::string> parts_of(const std::string& name) {
  const char separator = name.find('/') == std::string::npos ? '.' : '/';
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find(separator, at), name.size());
    parts.push_back(name.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// "net.ipv4.conf.eth0.rp_filter".
bool is_of_interface(const std::vector<std::string>& parts) {
  return parts.size() == 5 && (parts[2] == "conf" || parts[2] == "neigh");
}

/// A new interface has what stands under "default".
std::string fresh_name(std::vector<std::string> parts) {
  if (is_of_interface(parts) && parts[3] != "all" && parts[3] != "default" && parts[3] != "lo")
    parts[3] = "default";
  return fmt::format("{}", fmt::join(parts, "."));
}

/// Not made by anybody: what the kernel derives from a link.
bool is_derived(std::string_view name) {
  constexpr std::array<std::string_view, 2> derived{"mtu", "base_reachable_time_ms"};
  return std::ranges::any_of(derived, [&](std::string_view end) {
    return name.ends_with(end) && name[name.size() - end.size() - 1] != '_';
  });
}

/// Ports of a bridge: what comes in by one comes to IP by the bridge.
std::set<std::string> ports_of(const kernel::Netns& netns) {
  namespace netlink = kernel::netlink;
  auto socket = netlink::Socket::open(netns);
  std::set<std::string> ports;
  for (const netlink::Link& link :
       socket.dump(netlink::get_links(), "listing the links", netlink::decode_link)) {
    if (link.master != 0) ports.insert(link.name);
  }
  return ports;
}

std::vector<SysctlState> differing(const kernel::Netns& netns, const Sysctls& fresh) {
  const std::set<std::string> ports = ports_of(netns);
  std::vector<SysctlState> states;
  for (const auto& [name, value] : sysctls_of(netns)) {
    const std::vector<std::string> parts = parts_of(name);
    const auto before = fresh.find(fresh_name(parts));
    if (before == fresh.end() || before->second == value || is_derived(name)) continue;
    if (is_of_interface(parts) && ports.contains(parts[3])) continue;
    states.push_back({name, value, before->second});
  }
  return states;
}

NodeState read_node(const std::string& name, const kernel::Netns& netns, const Sysctls& fresh) {
  NodeState state;
  state.node = name;
  state.nft = kernel::nft::list_text(netns, kernel::nft::ListCounters::no);
  state.routes4 = listed_by_ip(netns, "-o -4 route show table all");
  state.routes6 = listed_by_ip(netns, "-o -6 route show table all");
  state.rules4 = listed_by_ip(netns, "-4 rule");
  state.rules6 = listed_by_ip(netns, "-6 rule");
  state.iptables_legacy = saved_by_iptables(netns, IpFamily::v4);
  state.ip6tables_legacy = saved_by_iptables(netns, IpFamily::v6);
  state.sysctls = differing(netns, fresh);
  return state;
}

}  // namespace

std::vector<NodeState> survey(const network::LiveNetwork& network, const network::Topology& world) {
  const Sysctls fresh = sysctls_of(kernel::Netns::create());
  const network::Node* host = world.host();
  std::vector<NodeState> states;
  for (const auto& [name, netns] : network.nodes()) {
    const bool of_world = world.find(name) != nullptr && (host == nullptr || host->name != name);
    if (!of_world) states.push_back(read_node(name, netns, fresh));
  }
  std::ranges::stable_sort(states, std::ranges::less{}, [&](const NodeState& state) {
    return host == nullptr || state.node != host->name;  // the host first
  });
  return states;
}

std::string to_text(const std::vector<NodeState>& states) {
  boost::json::array nodes;
  for (const NodeState& state : states) {
    const auto& [node, nft, routes4, routes6, rules4, rules6, legacy4, legacy6, sysctls] = state;
    boost::json::array fields;
    for (const std::string* text : {&node, &nft, &routes4, &routes6, &rules4, &rules6, &legacy4, &legacy6})
      fields.push_back(boost::json::value(valid_utf8(*text)));
    boost::json::array values;
    for (const auto& [name, value, fresh] : sysctls) {
      for (const std::string* text : {&name, &value, &fresh})
        values.push_back(boost::json::value(valid_utf8(*text)));
    }
    fields.push_back(boost::json::value(std::move(values)));
    nodes.push_back(boost::json::value(std::move(fields)));
  }
  return boost::json::serialize(nodes);
}

std::vector<NodeState> from_text(std::string_view text) {
  const auto string = [](const boost::json::value& value) { return std::string(value.as_string()); };
  try {
    std::vector<NodeState> states;
    const boost::json::value document = boost::json::parse(text);
    for (const boost::json::value& node : document.as_array()) {
      NodeState& state = states.emplace_back();
      std::size_t next = 0;
      for (std::string* into : {&state.node, &state.nft, &state.routes4, &state.routes6, &state.rules4,
                                &state.rules6, &state.iptables_legacy, &state.ip6tables_legacy}) {
        *into = string(node.as_array().at(next++));
      }
      const boost::json::array& values = node.as_array().at(next).as_array();
      for (std::size_t i = 0; i < values.size(); i += 3)
        state.sysctls.push_back({string(values.at(i)), string(values.at(i + 1)), string(values.at(i + 2))});
    }
    return states;
  } catch (const std::exception& problem) {
    throw Error(fmt::format("what a survey told cannot be read: {}", problem.what()));
  }
}

}  // namespace plumbline::engine::mutation
