#pragma once

#include <optional>
#include <set>
#include <string>

#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

/// `egress`: what is promised beside from, to and with.
struct Exit {
  std::string host;              ///< the node that has the uplink
  std::string via;               ///< the uplink
  IpAddress as;                  ///< the source that the uplink and the receiver see
  IpAddress own;                 ///< the source's own address, to which the reply must come back
  std::optional<unsigned> hops;  ///< by how much the TTL at the uplink is lower than at the source
  std::string bridge;            ///< that the uplink is a port of, and sends on what this sends; empty: none
  std::set<std::string> inner;   ///< interfaces of the host whose cable ends at the host itself
};

/// Passes only if the probe left by `via` with source `as`, arrived with it, left by no other uplink and
/// after just so many hops, and the answer came back to the source's own address. `control` (the same target
/// from the host; may be null) tells a dead target from a broken way.
engine::Judgement judge_egress(const Exit& exit, const engine::Evidence& evidence,
                               const engine::Evidence* control);

}  // namespace plumbline::checks
