#include "harness/cli/reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <set>

#include "harness/base/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/terminal.hpp"

namespace plumbline::cli {
namespace {

const std::vector<std::string>& formats() {
  static const std::vector<std::string> names{"console", "json"};
  return names;
}

ReportRequest parse_report(const std::string& text) {
  const std::size_t equals = text.find('=');
  ReportRequest request{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
  const auto& known = formats();
  if (std::find(known.begin(), known.end(), request.format) == known.end()) {
    throw Error(fmt::format("--report {}: no format '{}'{}", text, request.format,
                            did_you_mean(request.format, known)),
                ErrorKind::usage)
        .with_remedy("the formats are " + report_formats());
  }
  if (equals != std::string::npos && request.file.empty()) {
    throw Error(fmt::format("--report {}: no file after '='", text), ErrorKind::usage)
        .with_remedy(fmt::format("--report {0}=FILE, or --report {0} for standard output", request.format));
  }
  if (request.file == "-") request.file.clear();
  return request;
}

}  // namespace

std::string report_formats() {
  return fmt::format("{}", fmt::join(formats(), ", "));
}

std::vector<ReportRequest> parse_reports(const std::vector<std::string>& texts) {
  std::vector<ReportRequest> requests;
  std::set<std::string> places;
  for (const std::string& text : texts) {
    requests.push_back(parse_report(text));
    const std::string& file = requests.back().file;
    std::error_code ignored;
    const std::string place = file.empty() ? "" : std::filesystem::weakly_canonical(file, ignored).string();
    if (places.insert(place).second) continue;
    throw Error(fmt::format("two reports to {}", file.empty() ? "standard output" : file), ErrorKind::usage)
        .with_remedy(
            fmt::format("give one of them a file of its own: --report {}=FILE", requests.back().format));
  }
  const auto on_standard_output = [](const ReportRequest& request) { return request.file.empty(); };
  const auto on_console = [](const ReportRequest& request) { return request.format == "console"; };
  if (std::none_of(requests.begin(), requests.end(), on_standard_output) &&
      std::none_of(requests.begin(), requests.end(), on_console)) {
    requests.push_back({"console", ""});
  }
  return requests;
}

namespace {

std::vector<OpenReport> open_all(const std::vector<ReportRequest>& requests, std::string_view color,
                                 engine::Verbosity verbosity) {
  std::vector<OpenReport> reports;
  for (const auto& [format, file] : requests) {
    const bool standard = file.empty();
    reports.push_back(
        {format, standard ? Output::standard() : Output::file(file),
         standard ? console_on_standard_output(color, verbosity) : console_in_file(color, verbosity)});
  }
  return reports;
}

}  // namespace

std::vector<OpenReport> open_reports(const std::vector<std::string>& texts, std::string_view color,
                                     engine::Verbosity verbosity) {
  return open_all(parse_reports(texts), color, verbosity);
}

void finish_all(const std::vector<OpenReport>& reports) {
  std::exception_ptr first;
  for (const OpenReport& report : reports) {
    try {
      report.output->finish();
    } catch (const Error&) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

Reports::Reports(const std::vector<ReportRequest>& requests, std::string_view color,
                 engine::Verbosity verbosity)
    : open_(open_all(requests, color, verbosity)) {
  for (const OpenReport& report : open_) {
    std::ostream& out = report.output->stream();
    reporters_.push_back(report.format == "json" ? engine::json_reporter(out)
                                                 : engine::console_reporter(out, report.console));
  }
}

std::vector<engine::Reporter*> Reports::reporters() const {
  std::vector<engine::Reporter*> pointers;
  for (const auto& reporter : reporters_) pointers.push_back(reporter.get());
  return pointers;
}

void Reports::finish() {
  finish_all(open_);
}

}  // namespace plumbline::cli
