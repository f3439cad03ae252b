#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

enum class How : std::uint8_t { any, reject, drop };

/// `deny`: what is promised beside from, to and with.
struct Denial {
  How how = How::any;
  std::string guard;              ///< the node that is to stop it
  std::set<std::string> bridges;  ///< of the guard's interfaces: what leaves by one leaves by its ports
  /// Ports of these bridges, and the node at the other end of each one's cable.
  std::map<std::string, std::string> ports;
  std::string unresolved;       ///< a next hop that the guard asked for and that did not answer; empty: none
  std::set<std::string> inner;  ///< interfaces of the guard whose cable ends at the guard itself
};

/// Passes only if the probe was seen leaving its source, was never seen beyond the guard, a dropper spoke up
/// (an ICMP error, a reset, the sending kernel's own refusal) or the time-out passed in full, and `control`,
/// which differs only in what is guarded, got through. `control` may be null: then nothing is proven.
engine::Judgement judge_deny(const Denial& denial, const engine::Evidence& evidence,
                             const engine::Evidence* control);

}  // namespace plumbline::checks
