#pragma once

#include <string>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// "FAIL  deny container-one -> 10.1.2.3 ping": the console report's line of a check, without its duration.
std::string headline(const CheckResult& check);

/// What the console report says of a check below its line: expected and observed, control, journey, kernel
/// events, cause, where, trace. Without colours or glyphs, 100 columns wide. Lines end with '\n'.
std::string explain(const CheckResult& check);

/// Its essence, for places that show a few lines in proportional type: expected, observed, stopped, cause and
/// fix, a line each.
std::string in_brief(const CheckResult& check);

/// The same two for a scenario that could not be run.
std::string explain(const ScenarioError& error);
std::string in_brief(const ScenarioError& error);

}  // namespace plumbline::engine
