#include "harness/cli/reports.hpp"

#include <fmt/format.h>

#include <algorithm>
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

Reports::Reports(const std::vector<ReportRequest>& requests, std::string_view color,
                 engine::Verbosity verbosity) {
  for (const auto& [format, file] : requests) {
    outputs_.push_back(file.empty() ? Output::standard() : Output::file(file));
    std::ostream& out = outputs_.back()->stream();
    if (format == "json") {
      reporters_.push_back(engine::json_reporter(out));
    } else {
      reporters_.push_back(engine::console_reporter(out, file.empty()
                                                             ? console_on_standard_output(color, verbosity)
                                                             : console_in_file(color, verbosity)));
    }
  }
}

std::vector<engine::Reporter*> Reports::reporters() const {
  std::vector<engine::Reporter*> pointers;
  for (const auto& reporter : reporters_) pointers.push_back(reporter.get());
  return pointers;
}

void Reports::finish() {
  std::vector<Output*> outputs;
  for (const auto& output : outputs_) outputs.push_back(output.get());
  finish_all(outputs);
}

}  // namespace plumbline::cli
