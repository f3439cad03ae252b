#pragma once

#include <vector>

#include "harness/engine/check/evidence.hpp"
#include "harness/engine/check/result.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/proof/diagnosis/case.hpp"

namespace plumbline::engine {

/// What a probe that did not keep `promise` leaves to be explained.
proof::Case case_of(const Evidence& evidence, proof::Case::Promise promise);
proof::Case case_of(const DnsEvidence& evidence);

/// Whether nothing tells yet who stopped the probe, though nothing came back: counters may.
bool is_unexplained(const proof::Case& question);

/// The causes that are recognised, the most certain first. To be asked before the network changes.
std::vector<Cause> find_causes(proof::Case question, const Stage& stage);

}  // namespace plumbline::engine
