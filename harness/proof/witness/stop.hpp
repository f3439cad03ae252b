#pragma once

#include <optional>
#include <string>

#include "harness/proof/journey/journey.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::proof {

/// Where a packet of the exchange got lost, and who stopped it. Points into the journey and the path.
struct Stop {
  Leg leg = Leg::forward;          ///< of the packet that got lost: forward or reply
  std::string node;                ///< empty: none that we watch
  const Sighting* last = nullptr;  ///< of that packet; null: no tap saw it, it was stopped in its own node
  /// It was in `node` when it was lost: it had come in and never left, or it was the node's own and never
  /// left. Otherwise it left `node` by `last`'s interface and came in nowhere.
  bool inside = true;
  const Passage* passage = nullptr;  ///< the hook of `node` that stopped it, or the last that it was seen at
  const RuleMet* rule = nullptr;     ///< the rule or policy that stopped it
  const Drop* drop = nullptr;        ///< the kernel's word
  const Sighting* error = nullptr;   ///< the ICMP error that says so, where it was seen first
};

/// The first packet of the exchange that got lost; of one that was sent again, its first sending. Absent:
/// nothing shows that any was, as where an answer came back, or where what was not seen may only have been
/// missed (a journey that is not complete).
std::optional<Stop> who_stopped(const Journey& journey, const KernelPath& path);

/// "host forward: ip filter FORWARD handle 7: ip daddr 10.0.0.0/8 drop", "host: kernel drop reason
/// IP_RPFILTER in ip_rcv_finish", "host: no kernel says why (came in by veth1, neither it nor an answer
/// left)".
std::string to_text(const Stop& stop);

/// The rule as `ip filter FORWARD handle 7: ip daddr 10.0.0.0/8 drop`, `ip filter FORWARD policy drop`.
std::string to_text(const RuleMet& rule);

}  // namespace plumbline::proof
