#pragma once

#include "harness/engine/check/result.hpp"

namespace plumbline::engine::matrix {

/// Puts what attempts and promises have shown into each scenario's matrices, and leaves only the promises
/// among its checks: that an attempt was denied is no failure of anybody's. A denial that was promised has
/// failed where an attempt of the same got through.
void fold(RunResult& run);

}  // namespace plumbline::engine::matrix
