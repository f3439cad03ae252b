#pragma once

#include <string>

#include "harness/engine/check/result.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine::console {

/// Which checks did not come to the same verdict on all hosts; empty where there is one host.
std::string across_hosts(const ConsoleOptions& options, const RunResult& run);
/// What has changed since an earlier run; empty where there is none.
std::string baseline(const ConsoleOptions& options, const RunResult& run);

}  // namespace plumbline::engine::console
