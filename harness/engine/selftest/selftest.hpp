#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/engine/run/pool.hpp"
#include "harness/engine/selftest/judge.hpp"

/// Breaks good networks, one way at a time, and sees whether the right checks notice.
namespace plumbline::engine::selftest {

/// The faults of `files` (empty: all that ship, and the healthy networks), each with each of its setups.
/// Throws SpecError, and Error of kind usage.
std::vector<Fault> load_catalogue(const std::vector<std::string>& files);

/// Runs all, side by side, each in a sandbox of its own; `told` hears of each in the order of `faults`.
/// Throws Error of kind environment where this machine refuses sandboxes.
Selftest run(const std::vector<Fault>& faults, const RunOptions& options, const PoolOptions& pool,
             const std::function<void(const FaultResult&)>& told);

}  // namespace plumbline::engine::selftest
