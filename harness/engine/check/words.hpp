#pragma once

#include <string>
#include <vector>

#include "harness/engine/check/result.hpp"

/// What is told of a packet, in the same words wherever it is told: ladders, comments in traces.
namespace plumbline::engine {

/// A rule stopped it: dropped, rejected, queued or stolen.
bool stops(const KernelEvent& event);

/// "forward to ens4": the hook, and where it matters by which interface it would have gone.
std::string hook_text(const KernelEvent& event);

/// `ip filter FORWARD: iifname "bridge0" counter accept -> accept (handle 5, counted 7)`, "dropped by the
/// kernel: IP_RPFILTER in ip_rcv_finish", "no rule".
std::string event_text(const KernelEvent& event);

/// A comment for each step: the packet, what is translated, its note, and what the node's kernel told of it
/// from there to the next step at that node. Hooks without rules are left out.
std::vector<std::string> comments(const std::vector<JourneyStep>& steps,
                                  const std::vector<KernelEvent>& events);

}  // namespace plumbline::engine
