#pragma once

#include <optional>
#include <vector>

#include "harness/engine/check/check.hpp"
#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

/// `resolve`: passes only if the server that was asked got the question, answered it with exactly the
/// `expected` addresses, which are of the family asked for (absent: any address), and that answer was seen
/// coming from it.
engine::Judgement judge_resolve(const std::optional<std::vector<IpAddress>>& expected,
                                const engine::DnsEvidence& evidence);

engine::CheckKind resolve_kind();

}  // namespace plumbline::checks
