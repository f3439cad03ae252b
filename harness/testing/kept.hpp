#pragma once

#include <optional>
#include <string>

#include "harness/engine/check/result.hpp"

/// Results that one process leaves for others of the same ctest: one builds a scenario's network and runs all
/// its checks, and the test of each check then tells what became of it.
namespace plumbline::testing {

/// What a test tells of its check.
struct Told {
  engine::Verdict verdict = engine::Verdict::error;
  double duration_ms = 0;
  std::string message;  ///< of one that did not pass, as the console says it; of a skipped one the reason
  std::string trace;    ///< path of the pcapng; empty: none
};

/// The process that started this one, as no other process is called as long as the machine runs: results are
/// for its children only. To be asked outside the sandbox. Empty where it is not known.
std::string keeper();

/// Makes `folder`, and empties it. Throws Error where that is not possible.
void make_folder_for_results(const std::string& folder);
/// Leaves `told` of test `name` in `folder`. Throws Error.
void keep(const std::string& folder, const std::string& keeper, const std::string& name, const Told& told);
/// Takes it from there; the next one finds it no more, so that a test which is repeated is run again. Absent:
/// there is none of this keeper's.
std::optional<Told> take(const std::string& folder, const std::string& keeper, const std::string& name);

}  // namespace plumbline::testing
