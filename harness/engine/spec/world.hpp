#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/spec/value.hpp"
#include "harness/network/topology/model.hpp"

/// Private to this folder: a world while it is read. world_file.cpp reads it, world_checks.cpp refuses what
/// cannot be, world_cables.cpp makes links of its segments.
namespace plumbline::spec {

/// A value at its place.
template <class T>
struct Placed {
  T value;
  Mark mark;
};

/// One plug of a segment.
struct Member {
  std::string node;
  std::string interface;
  Mark mark;  ///< of the word after `segment:`
};

/// An address that a node holds; `segment` is empty for one on lo.
struct Held {
  InterfaceAddress address;
  std::string node;
  std::string interface;
  std::string segment;
  Mark mark;
};

struct DraftRoute {
  network::Route route;
  Mark mark;      ///< of the route
  Mark via_mark;  ///< of `via`, where there is one
};

/// A node whose routes are not yet placed, and where its parts stand.
struct DraftNode {
  network::Node node;
  Mark mark;
  std::vector<DraftRoute> routes;
  std::vector<Placed<Prefix>> locals;                               ///< of `local:`
  std::vector<std::pair<std::string, Placed<IpAddress>>> gateways;  ///< {interface, gateway}
};

struct DraftWorld {
  Mark mark;  ///< of `nodes`
  std::vector<DraftNode> nodes;
  std::vector<Held> held;
  std::map<std::string, std::vector<Member>> segments;
};

DraftWorld read_world(const Value& document);

/// Throws SpecError for addresses, networks, names and routes that cannot be.
void check_world(const DraftWorld& world);

/// Routes into nodes, segments into cables and bridges.
network::Topology finish_world(DraftWorld world);

}  // namespace plumbline::spec
