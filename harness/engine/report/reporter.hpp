#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// How far a run is.
struct Progress {
  std::size_t done = 0, total = 0;   ///< checks
  std::size_t not_passed = 0;        ///< of those that have ended; what was skipped is not counted
  std::vector<std::string> running;  ///< scenarios under way, with their setups
};

/// Writes one report. Events come in this order; formats are in format/.
class Reporter {
 public:
  Reporter() = default;
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  virtual ~Reporter() = default;

  /// `checks` counts those that will run.
  virtual void scenario_started(const ScenarioResult& /*scenario*/, std::size_t /*checks*/) {}
  /// In the order in which they end. Verdict, `observed` and duration are there by then; journey, evidence
  /// and trace only when the scenario has finished.
  virtual void check_finished(const ScenarioResult& /*scenario*/, const CheckResult& /*check*/) {}
  /// At any time between the others: for a live display. Scenarios that run side by side are counted here as
  /// they come, while the other events tell of one after the other.
  virtual void progressed(const Progress& /*progress*/) {}
  /// All checks are in `scenario`, in the spec's order.
  virtual void scenario_finished(const ScenarioResult& /*scenario*/) {}
  virtual void run_finished(const RunResult& /*run*/) {}
};

/// All events of a run that has ended.
void replay(const RunResult& run, Reporter& reporter);

enum class Verbosity : std::uint8_t { quiet, normal, verbose };

struct ConsoleOptions {
  bool colour = false;    ///< terminals only
  bool unicode = false;   ///< glyphs for verdicts, arrows, the micro sign: terminals only
  bool progress = false;  ///< a live line: terminals only
  Verbosity verbosity = Verbosity::normal;
  std::size_t width = 100;  ///< columns; paths, places and commands stay in one piece
  std::string folder;       ///< of the report's file, from where its links lead; empty: it is in none
  /// The run is put together from several hosts': each scenario is told with its host.
  bool several_hosts = false;
  std::size_t left_out = 0;  ///< checks that -k did not select
};

/// JSON Schema (draft 2020-12) of the JSON report.
std::string report_json_schema();

}  // namespace plumbline::engine
