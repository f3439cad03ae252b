#include "harness/engine/run/live_host.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/discovery/discover.hpp"

namespace plumbline::engine {
namespace {

using boost::asio::awaitable;
using network::Locator;

/// One call of find_live_host.
class Finder {
 public:
  explicit Finder(network::EngineSockets sockets) : sockets_(std::move(sockets)) {}

  awaitable<void> add_host() {
    const Locator self;
    network::Located here = co_await network::locate(self, sockets_);
    add(kHost, network::Role::host, std::move(here));
  }

  /// A container. Throws Error where it is not there.
  awaitable<void> add_container(std::string name, Locator locator) {
    network::Located there = co_await network::locate(std::move(locator), sockets_);
    add(name, network::Role::container, std::move(there));
  }

  /// By a name in /run/netns that nobody asked for: a second name of a node, the host's too, adds none.
  awaitable<void> add_found(std::string name) {
    std::optional<network::Located> found;
    try {
      Locator locator{Locator::Kind::netns, name};
      found.emplace(co_await network::locate(std::move(locator), sockets_));
    } catch (const Error& error) {
      spdlog::debug("{} in /run/netns: {}", name, error.what());  // a name that leads nowhere
    }
    if (!found) co_return;
    if (const auto known = names_.find(found->netns.inode()); known != names_.end()) {
      spdlog::debug("{} in /run/netns is {}", name, known->second);
    } else {
      add(name, network::Role::container, std::move(*found));
    }
  }

  /// By its name alone, wherever that is known. False: nowhere.
  awaitable<bool> add_by_name(std::string name) {
    for (const Locator::Kind kind : {Locator::Kind::netns, Locator::Kind::docker, Locator::Kind::podman}) {
      std::optional<network::Located> found;
      try {
        Locator locator{kind, name};
        found.emplace(co_await network::locate(std::move(locator), sockets_));
      } catch (const Error& error) {
        static_cast<void>(error);  // not there: the next one may know it
      }
      if (!found) continue;
      add(name, network::Role::container, std::move(*found));
      co_return true;
    }
    co_return false;
  }

  LiveHost take() {
    host_.found = network::discover(host_.network, host_.declared);
    return std::move(host_);
  }

 private:
  void add(const std::string& name, network::Role role, network::Located found) {
    const auto [same, fresh] = names_.emplace(found.netns.inode(), name);
    if (!fresh) {
      throw Error(fmt::format("{} and {} are one network namespace", same->second, name), ErrorKind::usage)
          .with_remedy(same->second == kHost
                           ? "it has the host's own network: let checks name the host"
                           : "give it one name: containers that share their network are one node");
    }
    if (!found.resolvers_unread.empty())
      spdlog::warn("the resolvers of {} are not known: {}", name, found.resolvers_unread);
    network::Node node;
    node.name = name;
    node.role = role;
    node.resolvers = std::move(found.resolvers);
    host_.declared.nodes.push_back(std::move(node));
    host_.network.add(name, std::move(found.netns), network::LiveNetwork::Naming::unnamed);
  }

  network::EngineSockets sockets_;
  std::map<std::uint64_t, std::string> names_;  ///< by the namespace's inode
  LiveHost host_;
};

/// The names in /run/netns.
std::vector<std::string> netns_names() {
  std::vector<std::string> names;
  std::error_code problem;
  std::filesystem::directory_iterator entry(kernel::kNetnsDirectory, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// What the setup of a scenario would make is to be here already.
awaitable<void> add_containers_of(const spec::Spec& spec, Finder& finder) {
  std::vector<std::string> missing;
  const network::Topology intended = spec.intended();
  for (const network::Node& node : intended.nodes) {
    if (node.role != network::Role::container) continue;
    const bool found = co_await finder.add_by_name(node.name);
    if (!found) missing.push_back(node.name);
  }
  if (missing.empty()) co_return;
  throw Error(fmt::format("{}: this host has no {}: neither /run/netns nor an engine knows {}", spec.file,
                          fmt::join(missing, ", "), missing.size() == 1 ? "it" : "them"),
              ErrorKind::usage)
      .with_remedy(
          fmt::format("in the place of `world:` and `setup:` say where its nodes are, as in `nodes: {{{}: "
                      "{{docker: {}}}}}`; or have it built: plumbline run {}",
                      missing.front(), missing.front(), spec.file));
}

}  // namespace

awaitable<LiveHost> find_live_host(const spec::Spec& spec, network::EngineSockets sockets) {
  Finder finder(std::move(sockets));
  co_await finder.add_host();
  if (spec.nodes) {
    for (const spec::NamedNode& node : *spec.nodes) {
      std::optional<spec::SpecError> refused;
      try {
        std::string name = node.name;
        Locator locator = node.locator;
        co_await finder.add_container(std::move(name), std::move(locator));
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::environment) throw error.within(node.mark.to_string());
        const std::string& remedy = error.remedy();
        refused.emplace(node.mark,
                        remedy.empty() ? error.what() : fmt::format("{}; {}", error.what(), remedy));
      }
      if (refused) throw *refused;
    }
  } else if (spec.setup) {
    co_await add_containers_of(spec, finder);
  } else {
    for (std::string& name : netns_names()) co_await finder.add_found(std::move(name));
  }
  co_return finder.take();
}

}  // namespace plumbline::engine
