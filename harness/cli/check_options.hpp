#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/cli/output.hpp"
#include "harness/cli/reports.hpp"
#include "harness/engine/run/runner.hpp"

namespace CLI {
class App;
}

namespace plumbline::cli {

/// The options of whatever reports a run.
struct ReportOptions {
  std::vector<std::string> reports;
  std::string color = "auto";
  bool verbose = false;
  bool quiet = false;

  engine::Verbosity verbosity() const;
};

/// The options of whatever runs checks: how many at once, which, how long, what is written and told.
struct CheckOptions : ReportOptions {
  std::string out = "plumbline-out";
  bool out_given = false;
  std::string trace = "failed";
  std::string pattern;
  std::string timeout = "1s";
  std::size_t jobs = engine::RunOptions{}.jobs;

  /// Throws Error of kind usage.
  engine::RunOptions run_options() const;
};

/// --report, -v, -q, --color.
void declare(CLI::App& command, ReportOptions& options);
/// -k, --timeout, -j, --report, --out, --trace, -v, -q, --color. `jobs_about`: what -j counts.
void declare(CLI::App& command, CheckOptions& options, const char* jobs_about);

/// A read-only current folder is no reason not to run: where only the folder that was not asked for cannot
/// be written, no traces are, and that is said.
void do_without_default_out(CheckOptions& options);
/// Throws Error of kind usage for a report or traces that could not be written.
/// `writer`: who writes the traces.
void require_places_to_write(const CheckOptions& options, std::vector<ReportRequest>& reports,
                             Writer writer = Writer::sandbox);

}  // namespace plumbline::cli
