#pragma once

#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

/// `reach`: the probe's own bytes arrive at the target and its answer comes back.
engine::Judgement judge_reach(const engine::Evidence& evidence);

}  // namespace plumbline::checks
