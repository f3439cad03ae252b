#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/engine/spec/spec.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::engine {

struct Plan;
class Reporter;

enum class TraceWhich : std::uint8_t { failed, all, none };

struct RunOptions {
  std::string pattern;  ///< -k: run only checks whose "scenario/id" contains it (case-insensitively); a
                        ///< leading ! excludes
  std::optional<std::set<std::string>> ids;  ///< run only checks with one of these ids; absent: all
  std::size_t jobs = 256;                    ///< checks under way at once
  std::chrono::milliseconds timeout{1000};   ///< of one probe
  bool trace_rules = true;                   ///< kernels tell which rules the probes meet
  std::string out_directory;                 ///< traces; empty: none are written
  TraceWhich trace = TraceWhich::failed;     ///< "failed" means every check that did not pass
  std::size_t repetition = 0;                ///< which one this is; 0: it is not repeated
  /// Of a check only its verdict is wanted: no cause is looked for, and neither journey nor what kernels did
  /// is kept.
  bool verdicts_only = false;
  /// Makes of the plan of a spec what is run in its stead. Called for each spec, more than once.
  std::function<void(const spec::Spec&, Plan&)> amend;
  /// Called in the sandbox when the network stands, before its servers and taps.
  std::function<void(const network::LiveNetwork&)> arranged;
};

/// For loading specs: every kind of check and change, and where `fixtures` holds worlds and setups.
spec::LoadOptions load_options(const std::string& fixtures);

/// Checks in specs that will run under `options`: {scenario name, check id}. Throws spec::SpecError for
/// arguments that a check kind refuses. Touches nothing.
std::vector<std::pair<std::string, std::string>> list_checks(const std::vector<spec::Spec>& specs,
                                                             const RunOptions& options);

/// What is known beforehand of each check of `spec` that will run under `options`: id, type, from, to, with,
/// where, expected. Throws spec::SpecError likewise. Touches nothing.
std::vector<CheckResult> promises(const spec::Spec& spec, const RunOptions& options);

/// "native"; empty where the spec names none.
std::string setup_name(const spec::Spec& spec);

/// What a spec says of itself.
ScenarioResult describe(const spec::Spec& spec);
/// "2026-02-28T12:00:00Z".
std::string now_in_utc();

/// Runs one scenario after the other in this sandbox, each in namespaces of its own: arrange, discover, probe
/// and capture, judge. `Pool` (pool.hpp) runs them side by side, each in a sandbox of its own. Every spec's
/// checks are validated before anything is built (throws spec::SpecError). SIGINT and SIGTERM end it early
/// with `interrupted` set. A scenario that cannot be built carries its error and the rest goes on.
RunResult run(const std::vector<spec::Spec>& specs, const RunOptions& options,
              const std::vector<Reporter*>& reporters);

}  // namespace plumbline::engine
