#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
  std::set<std::string> containers;  ///< of the nodes in `ports`: no way leads on through them
  std::string unusable;  ///< the control that was named, but is the target itself; empty: none such
  /// Of `ports`, those that exchange frames only with others, each with its bridge.
  std::map<std::string, std::string> isolated;
  std::set<std::string> bridge_ports;  ///< of `ports`, those that are a bridge's
};

/// The probe got past its guard: where it was seen, or who answered. Absent: no trace of that.
std::optional<std::string> leak(const Denial& denial, const engine::Evidence& evidence);
/// Whether the control shows that somebody serves what is denied. A port of the guard's own that leads on to
/// another node is served there: its answer is as good.
engine::Judgement judge_control(const Denial& denial, const engine::Evidence& control);
/// The guard's kernel tells that a rule or policy of it stopped the probe.
bool is_stopped(const Denial& denial, const engine::Evidence& evidence);
/// The guard stops the control as well, by its kernel's own word: to let it through would open what is to be
/// closed.
bool is_guarded_too(const Denial& denial, const engine::Evidence& control);

/// Passes only if the probe was seen leaving its source, or the guard's kernel tells of the rule or the
/// firewall that dropped it, was never seen beyond the guard, a dropper spoke up (an ICMP error, a reset, a
/// kernel's word) or the time-out passed in full, and `control`, which differs only in what is guarded, got
/// through. `control` may be null: then nothing is proven.
engine::Judgement judge_deny(const Denial& denial, const engine::Evidence& evidence,
                             const engine::Evidence* control);

}  // namespace plumbline::checks
