#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// One format of report. Events come in this order; a format is one file with a factory below.
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
  /// All checks are in `scenario`, in the spec's order.
  virtual void scenario_finished(const ScenarioResult& /*scenario*/) {}
  virtual void run_finished(const RunResult& /*run*/) {}
};

enum class Verbosity : std::uint8_t { quiet, normal, verbose };

struct ConsoleOptions {
  bool colour = false;    ///< terminals only
  bool unicode = false;   ///< glyphs for verdicts, arrows, the micro sign: terminals only
  bool progress = false;  ///< a live line: terminals only
  Verbosity verbosity = Verbosity::normal;
  std::size_t width = 100;  ///< columns; paths, places and commands stay in one piece
};

/// A line a check, detail only for what did not pass (or with `verbose` for all), then totals.
std::unique_ptr<Reporter> console_reporter(std::ostream& out, const ConsoleOptions& options);
/// Schema 1.
std::unique_ptr<Reporter> json_reporter(std::ostream& out);
/// JSON Schema (draft 2020-12) of that.
std::string report_json_schema();

}  // namespace plumbline::engine
