#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/engine/check/evidence.hpp"
#include "harness/kernel/nftables/listing.hpp"

namespace plumbline::checks {

struct LoggedPromise {
  std::string node;
  std::string prefix;
  std::optional<std::string> iif, oif;
  std::string verdict;  ///< "accept", "drop", "reject"; empty: any
  bool never = false;   ///< it must not be logged so
};

/// `logged`: the probe meets a LOG rule with this prefix, by the report of the node's kernel. Its log is not
/// read. `unseen`: why the report may be silent though the kernel logged (`unseen_log`); with it no silence
/// is proof that the probe was never logged.
engine::Judgement judge_logged(const LoggedPromise& promise, const engine::Evidence& evidence,
                               const std::optional<std::string>& unseen = {});

/// A rule that logs with this prefix where the kernel's trace does not vouch for it: of a bridge or a device,
/// in a chain before that of the trace, or one that may break off after it logged; or, where any rule logs so
/// (`in_legacy`: one of iptables-legacy does), a rule that ends the trace. Absent: there is none.
std::optional<std::string> unseen_log(const kernel::nft::Listing& listing, bool in_legacy,
                                      std::string_view prefix);

}  // namespace plumbline::checks
