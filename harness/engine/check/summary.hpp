#pragma once

#include <string>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// A scenario's own error counts as one error.
Summary summary_of(const ScenarioResult& scenario);
/// "3 passed, 1 failed, 0 inconclusive, 0 skipped, 0 errors".
std::string to_text(const Summary& summary);

}  // namespace plumbline::engine
