#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/engine/check/evidence.hpp"
#include "harness/kernel/netlink/neighbour.hpp"

namespace plumbline::checks {

/// One end of the ping, as the journey and its own kernel show it.
struct LearnedEnd {
  std::string node;
  IpAddress address;
  std::optional<MacAddress> mac;  ///< of the interface with which it is on the bridge's network
  std::string port;               ///< of the bridge, by which its packet came in; empty: none was seen
  /// Where the bridge has its address: a port, or the bridge itself where it is its own. Absent: nowhere.
  std::optional<std::string> learned_on;
  /// What it has for the other end's address. Absent: no entry.
  std::optional<kernel::netlink::NeighbourEntry> neighbour;
  std::string cable;  ///< the bridge's port that its interface is plugged into; empty: none, or not directly
  bool is_bridge = false;  ///< it holds the bridge itself, so its packets come in by no port
  bool told = false;       ///< the bridge's entry was set by hand (static): nothing was learned
};

/// `learned`: what the tables say after a ping.
struct LearnedTables {
  std::string bridge;
  LearnedEnd from, to;
};

/// Fails where a table contradicts what was seen on the way; where an entry is missing only if the ping was
/// answered, for without that the tables need not know yet.
engine::Judgement judge_learned(const LearnedTables& tables, const engine::Evidence& evidence);

}  // namespace plumbline::checks
