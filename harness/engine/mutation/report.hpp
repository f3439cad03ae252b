#pragma once

#include <string>

#include "harness/engine/mutation/mutate.hpp"
#include "harness/engine/report/reporter.hpp"

/// How mutations look.
namespace plumbline::engine::mutation {

/// What was not noticed, could not be made or could not be tried, a few lines each; `verbose` all mutants,
/// with the commands that make them; `quiet` only what counts against the spec.
std::string console_scenario(const ConsoleOptions& options, const MutationResult& result);
/// Stale declarations, a table by scenario, and the score.
std::string console_totals(const ConsoleOptions& options, const MutationRun& run);

/// Schema 1.
std::string to_json(const MutationRun& run);

}  // namespace plumbline::engine::mutation
