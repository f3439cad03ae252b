#pragma once

#include <set>
#include <string>

#include "harness/network/topology/model.hpp"

namespace plumbline::checks {

/// The interfaces of `node` whose cable ends at `node` itself, as between two of its bridges: what goes out
/// by one comes in by another, and has not left.
inline std::set<std::string> inner_cables(const network::Node& node) {
  std::set<std::string> names;
  for (const network::Interface& interface : node.interfaces) {
    if (interface.peer && interface.peer->node == node.name) names.insert(interface.name);
  }
  return names;
}

}  // namespace plumbline::checks
