#include "harness/network/topology/live_network.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/topology/builder.hpp"

namespace plumbline::network {
namespace {

/// All network namespaces that have a name. Only what lies on the kernel's nsfs is opened: opening anything
/// else (a FIFO) might wait.
std::map<std::string, kernel::Netns> named_namespaces() {
  std::map<std::string, kernel::Netns> found;
  std::error_code problem;
  // Not a range-for, whose ++ throws an error of another kind.
  std::filesystem::directory_iterator entry(kernel::kNetnsDirectory, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    const std::filesystem::path& path = entry->path();
    struct statfs system {};
    if (::statfs(path.c_str(), &system) != 0 || system.f_type != NSFS_MAGIC) continue;
    try {
      found.emplace(path.filename().string(), kernel::Netns::open(path.string()));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::environment) throw;  // else: gone again, or a namespace of another kind
    }
  }
  if (problem && problem != std::errc::no_such_file_or_directory) {
    throw Error::from_errno(problem.value(), std::string("reading ") + kernel::kNetnsDirectory);
  }
  return found;
}

}  // namespace

LiveNetwork::~LiveNetwork() {
  try {
    teardown();
  } catch (const std::exception&) {  // a destructor has nobody to tell; teardown() by hand tells
  }
}

LiveNetwork& LiveNetwork::operator=(LiveNetwork&& other) noexcept {
  LiveNetwork old(std::move(*this));
  nodes_ = std::exchange(other.nodes_, {});
  adopted_ = std::exchange(other.adopted_, {});
  aliases_ = std::exchange(other.aliases_, {});
  unnamed_ = std::exchange(other.unnamed_, {});
  return *this;
}

void LiveNetwork::build(const Topology& addition) {
  Builder builder(addition, nodes_);
  builder.build();
  nodes_.merge(builder.take());
}

void LiveNetwork::add(const std::string& name, kernel::Netns netns, Naming naming) {
  if (nodes_.contains(name)) throw Error("there is a node \"" + name + "\" already", ErrorKind::usage);
  if (naming == Naming::named) {
    netns.bind(name_path(name));
  } else {
    unnamed_.insert(name);
  }
  nodes_.emplace(name, std::move(netns));
}

void LiveNetwork::remove(std::string_view node) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return;
  const std::string name = found->first;
  const bool named = unnamed_.erase(name) == 0;
  adopted_.erase(name);
  nodes_.erase(found);
  if (named) kernel::Netns::unbind(name_path(name));
}

const kernel::Netns& LiveNetwork::netns(std::string_view node) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) throw Error("there is no node \"" + std::string(node) + "\"", ErrorKind::usage);
  return found->second;
}

LiveNetwork::NameChanges LiveNetwork::adopt_named() {
  std::map<std::string, kernel::Netns> named = named_namespaces();
  NameChanges changes;
  std::set<std::uint64_t> known{kernel::Netns::current().inode()};
  for (auto node = nodes_.begin(); node != nodes_.end();) {
    const auto there = named.find(node->first);
    const bool same = there != named.end() && there->second.inode() == node->second.inode();
    if (same || unnamed_.contains(node->first)) {
      known.insert(node->second.inode());
      ++node;
      continue;
    }
    changes.removed.push_back(node->first);
    adopted_.erase(node->first);
    node = nodes_.erase(node);
  }
  aliases_.clear();
  for (auto& [name, netns] : named) {
    if (nodes_.contains(name)) continue;
    if (!known.insert(netns.inode()).second) {
      aliases_.insert(name);
      continue;
    }
    nodes_.emplace(name, std::move(netns));
    adopted_.insert(name);
    changes.added.push_back(name);
  }
  return changes;
}

void LiveNetwork::teardown() {
  std::string failures;
  adopted_.clear();
  std::set<std::string, std::less<>> names = std::exchange(aliases_, {});
  const auto nodes = std::exchange(nodes_, {});
  const auto unnamed = std::exchange(unnamed_, {});
  for (const auto& node : nodes) {
    if (!unnamed.contains(node.first)) names.insert(node.first);
  }
  for (const std::string& name : names) {
    try {
      kernel::Netns::unbind(name_path(name));
    } catch (const std::exception& error) {
      failures += (failures.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (!failures.empty()) throw Error("taking the network down: " + failures);
}

}  // namespace plumbline::network
