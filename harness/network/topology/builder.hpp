#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "harness/kernel/netns/netns.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/network/topology/site.hpp"

/// Private to this folder.
namespace plumbline::network {

using Namespaces = std::map<std::string, kernel::Netns, std::less<>>;

/// One call of LiveNetwork::build: `addition` upon `existing`.
class Builder {
 public:
  Builder(const Topology& addition, const Namespaces& existing) : addition_(addition), existing_(existing) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  /// Takes the names of the new namespaces away again, unless they were taken over.
  ~Builder();

  void build();
  /// The new namespaces, which are named in /run/netns.
  Namespaces take() { return std::exchange(made_, {}); }

 private:
  void open_sites();
  Site make_site(const Node& node, kernel::Netns created, kernel::netlink::Socket socket);
  Site visit_site(const Node& node, const kernel::Netns& netns);
  void finish(const Site& site);

  const Topology& addition_;
  const Namespaces& existing_;
  Namespaces made_;
  Sites sites_;
};

/// What can be known to be wrong before anything is built: names, and cables that do not fit. Throws Error of
/// kind usage.
void check_buildable(const Topology& addition);

/// Where a node's name is bound.
std::string name_path(std::string_view node);

}  // namespace plumbline::network
