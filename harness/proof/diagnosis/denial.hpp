#pragma once

#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

/// Of a denial that was kept, or of its control: takes the fix from a finding that would let through what is
/// to be denied, and says in its evidence what to do instead. Leaves all other findings as they are.
void keep_shut(const Case& question, Facts& facts, Finding& finding);

}  // namespace plumbline::proof
