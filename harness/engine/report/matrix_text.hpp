#pragma once

#include <string>
#include <vector>

#include "harness/engine/report/reporter.hpp"

/// How matrices look on a console.
namespace plumbline::engine {

/// What the four signs mean, a line each.
std::string signs_legend();

/// Matrices that are the same are shown once, under all their services. Columns have their names above them
/// where these find room, else numbers, with the names at the rows; what still finds no room goes on below.
std::string matrix_text(const ConsoleOptions& options, const std::vector<Matrix>& matrices);

/// All scenarios: each one's matrices, what is not as promised, what is not proven, and with
/// Verbosity::verbose who stopped what; then the totals. Scenarios of one name whose setups came to the same
/// are told once.
std::string matrix_report(const ConsoleOptions& options, const RunResult& run);

}  // namespace plumbline::engine
