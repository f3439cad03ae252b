#pragma once

#include <vector>

#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

/// Every cause that is known, by code.
const std::vector<CauseKind>& cause_kinds();

}  // namespace plumbline::proof
