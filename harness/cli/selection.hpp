#pragma once

#include <string>
#include <vector>

#include "harness/engine/run/runner.hpp"
#include "harness/engine/spec/spec.hpp"

/// Which scenarios and checks a command line means.
namespace plumbline::cli {

/// Loads all `files`, each once with each of its setups, and reads their checks' arguments; touches nothing.
/// Errors of every file go to standard error, then Error of kind usage is thrown.
std::vector<spec::Spec> load_scenarios(const std::vector<std::string>& files);

/// Leaves those whose setup has the name or is of the kind `setup` (empty: all). Throws Error of kind usage
/// when none is left.
void select_setup(std::vector<spec::Spec>& specs, const std::string& setup);

/// Checks of `specs` that the pattern of `options` does not select.
std::size_t count_left_out(const std::vector<spec::Spec>& specs, const engine::RunOptions& options);

/// Throws Error of kind usage, with the nearest ids, when `options` select no check of `specs`.
void require_checks(const std::vector<spec::Spec>& specs, const engine::RunOptions& options);

}  // namespace plumbline::cli
