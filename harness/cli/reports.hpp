#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/output.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::cli {

/// One `--report FORMAT[=FILE]`.
struct ReportRequest {
  std::string format;
  std::string file;     ///< empty: standard output
  bool append = false;  ///< behind what the file holds
  Fd opened = Fd();     ///< what is no regular file, once it was tried
};

/// The formats of a run's report, as --help and errors list them.
std::string report_formats();
/// Those of what is no run of checks.
inline constexpr std::string_view kPlainFormats = "console, json";

/// Reads the options' texts. Where none is for standard output, and none is the console's, the console's is
/// added there. Where `github` is among them and the environment names a file for the job's summary
/// (GITHUB_STEP_SUMMARY), that is added. Throws Error of kind usage for an unknown format, two reports in one
/// place, and an empty file name.
std::vector<ReportRequest> parse_reports(const std::vector<std::string>& texts);

/// Tries that all of them can be written, before any regular file is opened. Throws Error of kind usage.
void require_writable(std::vector<ReportRequest>& requests);

/// A report (console or json) that is put together by whoever asks for it.
struct OpenReport {
  std::string format;
  std::unique_ptr<Output> output;
  engine::ConsoleOptions console;
};
/// Opens all that `texts` ask for. Throws Error of kind usage.
std::vector<OpenReport> open_reports(const std::vector<std::string>& texts, std::string_view color,
                                     engine::Verbosity verbosity);
/// The same of requests that are read already.
std::vector<OpenReport> open_all(std::vector<ReportRequest>& requests, std::string_view color,
                                 engine::Verbosity verbosity);
/// Throws Error when one could not be written to its end; the others are.
void finish_all(const std::vector<OpenReport>& reports);

/// Writes what is left, and returns the exit status of `run`. Of each report that could not be written to
/// its end, standard error tells, and beside it the totals: no verdict is lost with it. The status is that
/// of an error (5) then, unless the run's own is another than 0.
int finish_all(const std::vector<OpenReport>& reports, const engine::RunResult& run);

/// Reports of a run, being written.
class Reports {
 public:
  /// What is known of the run before it ends.
  struct Known {
    bool several_hosts = false;
    std::size_t left_out = 0;  ///< checks that -k did not select
  };
  /// Opens all files. Throws Error of kind usage.
  Reports(std::vector<ReportRequest>& requests, std::string_view color, engine::Verbosity verbosity,
          const Known& known);
  std::vector<engine::Reporter*> reporters() const;
  /// As finish_all() does.
  int finish(const engine::RunResult& run);

 private:
  std::vector<OpenReport> open_;
  std::vector<std::unique_ptr<engine::Reporter>> reporters_;
};

}  // namespace plumbline::cli
