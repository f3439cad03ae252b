#pragma once

#include <cstddef>
#include <vector>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// What several checks failed for, in whichever scenarios.
struct SharedCause {
  Cause cause;                ///< without evidence; proven where it is of every check; its fix is everybody's
  bool fixes_differ = false;  ///< then `cause` has none
  std::size_t checks = 0;     ///< at least 2
};

/// Of the most certain cause of each check that did not pass; first the one of the most checks.
std::vector<SharedCause> shared_causes(const RunResult& run);

}  // namespace plumbline::engine
