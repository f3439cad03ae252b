#pragma once

#include "harness/engine/check/evidence.hpp"
#include "harness/engine/check/frame_watch.hpp"

namespace plumbline::checks {

/// `silent`: no frame at `place` while the same filter does match at `control`, so that it can match at all.
/// A match fails, whatever else is wrong. A tap that missed something, or no match at the control, is
/// inconclusive.
engine::Judgement judge_silent(const engine::FrameWatch& place, const engine::WatchRecord& seen,
                               const engine::FrameWatch& control, const engine::WatchRecord& seen_at_control);

}  // namespace plumbline::checks
