#pragma once

#include <string>
#include <string_view>

#include "harness/engine/check/result.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine::console {

/// What is known about one check, indented below its line: expected and observed, control, journey, kernel
/// events, cause, where, trace. Lines end with '\n'; what is empty is left out.
std::string detail(const ConsoleOptions& options, const CheckResult& check);
/// Why checks were not run.
std::string reason_of_skip(const ConsoleOptions& options, std::string_view reason);

/// The same for a scenario that could not be run.
std::string detail(const ConsoleOptions& options, const ScenarioError& error);

/// What several checks failed for, and how to mend it at one go; empty: each has a cause of its own. Without
/// -v only those that most have.
std::string shared_causes(const ConsoleOptions& options, const RunResult& run);

/// "20 repetitions: no verdict differed", or how many checks did, and which verdicts each came to.
std::string repetitions(const ConsoleOptions& options, const RunResult& run);

}  // namespace plumbline::engine::console
