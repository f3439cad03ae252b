#include "harness/cli/reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <set>

#include "harness/base/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/engine/check/summary.hpp"
#include "harness/engine/report/format/format.hpp"

namespace plumbline::cli {
namespace {

std::vector<std::string> names_of_formats() {
  std::vector<std::string> names;
  for (const engine::Format& format : engine::formats()) names.push_back(format.name);
  return names;
}

ReportRequest parse_report(const std::string& text, const std::vector<std::string>& known) {
  const std::size_t equals = text.find('=');
  ReportRequest request{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
  if (std::ranges::find(known, request.format) == known.end()) {
    throw Error(fmt::format("--report {}: no format '{}'{}", text, request.format,
                            did_you_mean(request.format, known)),
                ErrorKind::usage)
        .with_remedy(fmt::format("the formats are {}", fmt::join(known, ", ")));
  }
  if (equals != std::string::npos && request.file.empty()) {
    throw Error(fmt::format("--report {}: no file after '='", text), ErrorKind::usage)
        .with_remedy(fmt::format("--report {0}=FILE, or --report {0} for standard output", request.format));
  }
  if (request.file == "-") request.file.clear();
  return request;
}

/// On standard output, and there alone.
bool takes_standard_output(const ReportRequest& request) {
  return request.file.empty() && !engine::format(request.format).shares_output;
}

/// By which two ways to write one file's path are known, also where it is not there yet.
std::filesystem::path place_of(const std::string& file) {
  std::error_code problem;
  const std::filesystem::path absolute = std::filesystem::absolute(file, problem);
  if (problem) return file;
  std::filesystem::path place = std::filesystem::weakly_canonical(absolute, problem);
  return problem ? absolute.lexically_normal() : place;
}

std::vector<ReportRequest> parse(const std::vector<std::string>& texts,
                                 const std::vector<std::string>& known) {
  std::vector<ReportRequest> requests;
  std::set<std::string> places;
  for (const std::string& text : texts) {
    requests.push_back(parse_report(text, known));
    const ReportRequest& request = requests.back();
    if (request.file.empty() && !takes_standard_output(request)) continue;
    const std::string place = request.file.empty() ? "" : place_of(request.file).string();
    if (places.insert(place).second) continue;
    throw Error(fmt::format("two reports to {}", request.file.empty() ? "standard output" : request.file),
                ErrorKind::usage)
        .with_remedy(fmt::format("give one of them a file of its own: --report {}=FILE", request.format));
  }
  const auto on_console = [](const ReportRequest& request) { return request.format == "console"; };
  if (std::ranges::none_of(requests, takes_standard_output) && std::ranges::none_of(requests, on_console))
    requests.insert(requests.begin(), {"console", ""});
  return requests;
}

std::unique_ptr<Output> open_output(ReportRequest& request) {
  if (request.file.empty()) return Output::standard();
  if (request.opened) return Output::opened(request.file, std::move(request.opened));
  if (request.append) return Output::append(request.file);
  return engine::format(request.format).grows ? Output::file(request.file) : Output::whole(request.file);
}

}  // namespace

std::string report_formats() {
  return fmt::format("{}", fmt::join(names_of_formats(), ", "));
}

std::vector<ReportRequest> parse_reports(const std::vector<std::string>& texts) {
  std::vector<ReportRequest> requests = parse(texts, names_of_formats());
  const auto github = [](const ReportRequest& request) { return request.format == "github"; };
  const char* summary = std::getenv("GITHUB_STEP_SUMMARY");
  if (summary == nullptr || *summary == '\0' || std::ranges::none_of(requests, github)) return requests;
  const auto is_summary = [summary](const ReportRequest& request) {
    return !request.file.empty() && place_of(request.file) == place_of(summary);
  };
  if (std::ranges::any_of(requests, is_summary)) {
    throw Error(fmt::format("two reports to {}: --report github adds the job's summary to it", summary),
                ErrorKind::usage)
        .with_remedy("leave the other out, or give it a file of its own");
  }
  requests.push_back({"markdown", summary, true});
  return requests;
}

void require_writable(std::vector<ReportRequest>& requests) {
  for (ReportRequest& request : requests) {
    if (request.file.empty()) continue;
    try {
      request.opened = try_to_write(request.file);
    } catch (const Error& error) {
      // That it is appended to only its variable says.
      const std::string what = request.append ? "GITHUB_STEP_SUMMARY, the job's summary"
                                              : fmt::format("the {} report", request.format);
      throw error.within(what).with_remedy(
          request.append
              ? "it must name a file that can be written, or be unset"
              : fmt::format("name a file in a folder that can be written: --report {}=FILE", request.format));
    }
  }
}

std::vector<OpenReport> open_all(std::vector<ReportRequest>& requests, std::string_view color,
                                 engine::Verbosity verbosity) {
  std::vector<OpenReport> reports;
  for (ReportRequest& request : requests) {
    reports.push_back({request.format, open_output(request),
                       request.file.empty() ? console_on_standard_output(color, verbosity)
                                            : console_in_file(color, verbosity)});
    if (!request.file.empty()) {
      const std::string folder = std::filesystem::path(request.file).parent_path();
      reports.back().console.folder = folder.empty() ? "." : folder;
    }
  }
  return reports;
}

std::vector<OpenReport> open_reports(const std::vector<std::string>& texts, std::string_view color,
                                     engine::Verbosity verbosity) {
  std::vector<ReportRequest> requests = parse(texts, {"console", "json"});
  return open_all(requests, color, verbosity);
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

int finish_all(const std::vector<OpenReport>& reports, const engine::RunResult& run) {
  bool written = true;
  for (const OpenReport& report : reports) {
    try {
      report.output->finish();
    } catch (const Error& error) {
      written = false;
      print_error(
          Error(fmt::format("the {} report is not whole: {}", report.format, error.what()), error.kind())
              .with_remedy(error.remedy()));
    }
  }
  const int status = run.exit_status();
  if (written) return status;
  fmt::print(stderr, "plumbline: the verdicts: {}\n", engine::to_text(run.summary()));
  constexpr int kError = 5;
  return status == 0 ? kError : status;
}

Reports::Reports(std::vector<ReportRequest>& requests, std::string_view color, engine::Verbosity verbosity,
                 const Known& known)
    : open_(open_all(requests, color, verbosity)) {
  // What shares standard output speaks last, once the others have said all.
  std::stable_partition(open_.begin(), open_.end(), [](const OpenReport& report) {
    return !engine::format(report.format).shares_output;
  });
  for (OpenReport& report : open_) {
    report.console.several_hosts = known.several_hosts;
    report.console.left_out = known.left_out;
    reporters_.push_back(engine::format(report.format).make(report.output->stream(), report.console));
  }
}

std::vector<engine::Reporter*> Reports::reporters() const {
  std::vector<engine::Reporter*> pointers;
  for (const auto& reporter : reporters_) pointers.push_back(reporter.get());
  return pointers;
}

int Reports::finish(const engine::RunResult& run) {
  return finish_all(open_, run);
}

}  // namespace plumbline::cli
