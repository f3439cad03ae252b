#pragma once

#include <string>

#include "harness/engine/report/reporter.hpp"
#include "harness/engine/selftest/judge.hpp"

/// How a selftest looks.
namespace plumbline::engine::selftest {

/// A line for a fault, and below it what is not as it should be; empty where that is not wanted (quiet, and
/// nothing wrong).
std::string console_line(const ConsoleOptions& options, const FaultResult& fault);
/// The table by class, and the score.
std::string console_totals(const ConsoleOptions& options, const Selftest& selftest);

std::string to_json(const Selftest& selftest);

}  // namespace plumbline::engine::selftest
