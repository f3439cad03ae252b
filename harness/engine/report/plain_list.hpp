#pragma once

#include <iosfwd>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// The run as plain elements of HTML, for browsers that run no script: totals, each scenario with its counts,
/// and the checks that did not pass, the gravest first. Of thousands the first ones, and how many are left
/// out.
void write_plain_list(std::ostream& out, const RunResult& run);

}  // namespace plumbline::engine
