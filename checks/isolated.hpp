#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

/// `isolated`: one probe to one address that the isolated node holds.
struct IsolationProbe {
  std::string address;  ///< "fe80::1%eth0": with the sender's interface where that matters
  engine::Evidence evidence;
  /// The node's probe to itself, at that address and with that service. Absent: none was needed, or the node
  /// could not send it.
  std::optional<engine::Evidence> control;
  /// The next hop for which the sender's kernel asks and nobody answers, so that it never sent the probe;
  /// empty: none.
  std::string unresolved;
};

/// What is promised beside that nothing arrives.
struct Isolation {
  std::string from, to;
  int error = 0;  ///< errno with which every probe must end that does not go to a loopback address; 0: any
  /// The sender has an IPv6 address that duplicate detection has not released yet, so that it may merely not
  /// be able to send as yet.
  bool sender_is_tentative = false;
};

struct IsolationJudgement {
  engine::Judgement judgement;
  std::size_t decisive = 0;  ///< index of the probe that it rests on
};

/// The sending kernel refused by itself, for a reason that lies in its network: nothing was sent, so nothing
/// more has to be proven.
bool proven_by_itself(const Isolation& promise, const engine::Evidence& evidence);

/// Fails where anything got to the node. Passes only if for every probe the sender's kernel refused to send
/// it, or found nobody to send it to, or the taps saw it leave, lost nothing and never saw it at the node,
/// which answers itself there.
IsolationJudgement judge_isolated(const Isolation& promise, const std::vector<IsolationProbe>& probes);

}  // namespace plumbline::checks
