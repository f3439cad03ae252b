#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/result.hpp"

/// What is told of a packet and of why it went no further, in the same words wherever it is told: ladders,
/// comments in traces, reports.
namespace plumbline::engine {

/// A rule stopped it: dropped, rejected, queued or stolen.
bool stops(const KernelEvent& event);

/// "forward to ens4": the hook, and where it matters by which interface it would have gone.
std::string hook_text(const KernelEvent& event);

/// `ip filter FORWARD: iifname "bridge0" counter accept -> accept (handle 5, counted 7)`, "dropped by the
/// kernel: IP_RPFILTER in ip_rcv_finish", "no rule".
std::string event_text(const KernelEvent& event);

/// For CheckResult::incomplete: reports of rules of `node` are missing, for this reason; rules of devices
/// there, which no kernel reports.
std::string rules_untold(std::string_view node, std::string_view problem);
std::string devices_untold(std::string_view node, std::string_view chains);
/// Of the rules that kernels report, some that the check's probe met at `node` may be missing: a report was
/// lost, or the frame that tells whose it is.
bool may_miss_rules(const CheckResult& check, std::string_view node);

/// "likely wrong-gateway: container-one's default route …".
std::string cause_text(const Cause& cause);

/// What is not told of the check's probe, a line each: CheckResult::incomplete, and frames that were lost.
std::vector<std::string> untold(const CheckResult& check);

/// A comment for each step: the packet, what is translated, its note, and what the node's kernel told of it
/// from there to the next step at that node. Hooks without rules are left out.
std::vector<std::string> comments(const std::vector<JourneyStep>& steps,
                                  const std::vector<KernelEvent>& events);

}  // namespace plumbline::engine
