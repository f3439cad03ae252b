#pragma once

#include <vector>

#include "harness/cli/trials.hpp"

/// What `doctor` tries for a live host, and of the runtimes that setups start. A run does without either.
namespace plumbline::cli {

/// Whether this user may look into namespaces, and which engine answers: to be called outside of any sandbox.
std::vector<Trial> look_at_live_host();

/// Which setups have their runtime here, with its version: to be called inside a sandbox, for programs are
/// run.
std::vector<Trial> look_for_runtimes();
/// What stands for that where the sandbox was refused.
std::vector<Trial> untried_runtimes();

}  // namespace plumbline::cli
