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
  std::string file;  ///< empty: standard output
};

/// The formats there are, as --help and errors list them.
std::string report_formats();

/// Reads the options' texts. Where none is for standard output, and none is the console's, the console's is
/// added there. Throws Error of kind usage for an unknown format, two reports in one place, and an empty file
/// name.
std::vector<ReportRequest> parse_reports(const std::vector<std::string>& texts);

/// A report that is put together by whoever asks for it.
struct OpenReport {
  std::string format;
  std::unique_ptr<Output> output;
  engine::ConsoleOptions console;
};
/// Opens all that `texts` ask for. Throws Error of kind usage.
std::vector<OpenReport> open_reports(const std::vector<std::string>& texts, std::string_view color,
                                     engine::Verbosity verbosity);
/// Throws Error when one could not be written to its end; the others are.
void finish_all(const std::vector<OpenReport>& reports);

/// Reports of a run, being written.
class Reports {
 public:
  /// Opens all files. Throws Error of kind usage.
  Reports(const std::vector<ReportRequest>& requests, std::string_view color, engine::Verbosity verbosity);
  std::vector<engine::Reporter*> reporters() const;
  /// Throws Error when one could not be written to its end.
  void finish();

 private:
  std::vector<OpenReport> open_;
  std::vector<std::unique_ptr<engine::Reporter>> reporters_;
};

}  // namespace plumbline::cli
