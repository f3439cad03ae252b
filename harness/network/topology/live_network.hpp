#pragma once

#include <map>
#include <string>
#include <string_view>

#include "harness/kernel/netns/netns.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// Nodes that exist: their namespaces, held by descriptors, and named in /run/netns while this lives.
class LiveNetwork {
 public:
  LiveNetwork() = default;
  LiveNetwork(LiveNetwork&&) noexcept = default;
  LiveNetwork& operator=(LiveNetwork&&) noexcept = default;
  LiveNetwork(const LiveNetwork&) = delete;
  LiveNetwork& operator=(const LiveNetwork&) = delete;
  ~LiveNetwork();

  /// Builds what `addition` holds: nodes not yet here are created, and what it lists for nodes already here
  /// (interfaces, addresses, routes, rules, sysctls, firewall) is added to them. Returns when every interface
  /// that should be running is (carrier awaited by event, not by sleeping) and every address is usable.
  /// Throws Error naming node, object and the kernel's own text.
  void build(const Topology& addition);

  /// Throws Error for a node that is not here.
  const kernel::Netns& netns(std::string_view node) const;
  const std::map<std::string, kernel::Netns, std::less<>>& nodes() const noexcept { return nodes_; }

  /// Takes the names away and lets go of the namespaces; the kernel then ends them by itself.
  void teardown();

 private:
  std::map<std::string, kernel::Netns, std::less<>> nodes_;
};

}  // namespace plumbline::network
