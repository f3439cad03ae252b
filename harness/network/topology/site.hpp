#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// Private to this folder: a node while it is built on.
struct Site {
  const Node* node;
  const kernel::Netns* netns;
  kernel::netlink::Socket socket;
  bool fresh;  ///< the namespace is made by this build
  /// Index by name of every interface, those planned included: indices are chosen here, so that nothing need
  /// be asked back from the kernel between the batches.
  std::map<std::string, unsigned, std::less<>> indices;
  unsigned first_planned = 2;  ///< interfaces from this index on are made by this build

  std::string label() const { return "node " + node->name; }
  /// 0: there is none.
  unsigned index_of(std::string_view interface) const {
    const auto found = indices.find(interface);
    return found == indices.end() ? 0 : found->second;
  }
  bool planned(const Interface& interface) const { return index_of(interface.name) >= first_planned; }
};

/// In the order of the topology's nodes; addresses of its elements stay.
using Sites = std::deque<Site>;

}  // namespace plumbline::network
