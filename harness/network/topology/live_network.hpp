#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// Nodes that exist: their namespaces, held by descriptors, and named in /run/netns while this lives, unless
/// they were added without a name.
class LiveNetwork {
 public:
  LiveNetwork() = default;
  LiveNetwork(LiveNetwork&& other) noexcept
      : nodes_(std::exchange(other.nodes_, {})),
        adopted_(std::exchange(other.adopted_, {})),
        aliases_(std::exchange(other.aliases_, {})),
        unnamed_(std::exchange(other.unnamed_, {})) {}
  LiveNetwork& operator=(LiveNetwork&& other) noexcept;
  LiveNetwork(const LiveNetwork&) = delete;
  LiveNetwork& operator=(const LiveNetwork&) = delete;
  ~LiveNetwork();  ///< tears down

  /// Builds what `addition` holds: nodes not yet here are created, and what it lists for nodes already here
  /// (interfaces, addresses, routes, rules, sysctls, firewall) is added to them. Returns when every interface
  /// that should be running is (carrier awaited by event, not by sleeping) and every address is usable.
  /// Throws Error naming node, object and the kernel's own text; then no new node remains, but nodes that
  /// were here before may keep a part of what was added to them.
  void build(const Topology& addition);

  enum class Naming : std::uint8_t {
    named,    ///< it is given its name in /run/netns, as a node that is built
    unnamed,  ///< nothing is written: a live host's stays as it is
  };
  /// Makes a namespace that others have made a node. Throws Error: of kind usage where there is such a node.
  void add(const std::string& name, kernel::Netns netns, Naming naming);

  /// Lets go of a node, and takes its name away. Throws Error.
  void remove(std::string_view node);

  /// Throws Error for a node that is not here.
  const kernel::Netns& netns(std::string_view node) const;
  const std::map<std::string, kernel::Netns, std::less<>>& nodes() const noexcept { return nodes_; }

  /// What others have done to the names in /run/netns since it was last looked at.
  struct NameChanges {
    std::vector<std::string> added;    ///< became nodes
    std::vector<std::string> removed;  ///< are nodes no more
  };
  /// Makes every namespace named in /run/netns a node that is none yet, and lets go of nodes whose name was
  /// taken away, ours included; a name that now means another namespace counts as both. Files there that are
  /// no network namespaces do not count, nor do further names of nodes and of our own namespace. References
  /// to a removed node's namespace end here. Throws Error.
  NameChanges adopt_named();
  /// The nodes that adopt_named made.
  const std::set<std::string, std::less<>>& adopted() const noexcept { return adopted_; }

  /// Takes the names away and lets go of the namespaces; the kernel then ends them by itself.
  /// All are let go of, whatever fails on the way; then throws one Error that tells every failure.
  void teardown();

 private:
  std::map<std::string, kernel::Netns, std::less<>> nodes_;
  std::set<std::string, std::less<>> adopted_;
  std::set<std::string, std::less<>> aliases_;  ///< further names of nodes, which others gave
  std::set<std::string, std::less<>> unnamed_;  ///< nodes that have no name of ours
};

}  // namespace plumbline::network
