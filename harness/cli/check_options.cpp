#include "harness/cli/check_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/output.hpp"

namespace plumbline::cli {
namespace {

engine::TraceWhich parse_trace(std::string_view text) {
  if (text == "all") return engine::TraceWhich::all;
  return text == "none" ? engine::TraceWhich::none : engine::TraceWhich::failed;
}

/// A read-only current folder is no reason not to run: only the folder that was not asked for is done
/// without.
bool default_out_is_unwritable(const CheckOptions& options) {
  if (options.out_given || options.trace == "none") return false;
  try {
    require_writable_folder(options.out);
    return false;
  } catch (const Error& error) {
    fmt::print(stderr, "plumbline: no traces will be written: {}\n  remedy: name a folder with --out\n",
               error.what());
    return true;
  }
}

}  // namespace

engine::Verbosity ReportOptions::verbosity() const {
  if (quiet) return engine::Verbosity::quiet;
  return verbose ? engine::Verbosity::verbose : engine::Verbosity::normal;
}

engine::RunOptions CheckOptions::run_options() const {
  engine::RunOptions options;
  options.pattern = pattern;
  options.jobs = jobs;
  options.timeout = parse_timeout(timeout);
  options.out_directory = out;
  options.trace = parse_trace(trace);
  return options;
}

void do_without_default_out(CheckOptions& options) {
  if (default_out_is_unwritable(options)) options.trace = "none";
}

void require_places_to_write(const CheckOptions& options, std::vector<ReportRequest>& reports,
                             Writer writer) {
  require_writable(reports);
  if (options.trace == "none") return;
  if (options.out.empty())
    throw Error("--out: expected a folder", ErrorKind::usage).with_remedy("--trace none writes no traces");
  require_writable_folder(options.out, writer);
}

void declare(CLI::App& command, ReportOptions& options) {
  command
      .add_option(
          "--report", options.reports,
          fmt::format("How to report: {}. Without FILE to standard output. Repeatable", report_formats()))
      ->type_name("FORMAT[=FILE]")
      ->allow_extra_args(false);
  CLI::Option* verbose =
      command.add_flag("-v,--verbose", options.verbose, "Detail for checks that passed, too");
  command.add_flag("-q,--quiet", options.quiet, "Only what did not pass, and the totals")->excludes(verbose);
  command.add_option("--color", options.color, "auto: on a terminal, unless NO_COLOR is set")
      ->check(one_of({"auto", "always", "never"}))
      ->type_name("auto|always|never")
      ->capture_default_str();
}

void declare(CLI::App& command, CheckOptions& options, const char* jobs_about) {
  command.add_option("--out", options.out, "Folder for traces (pcapng)")
      ->each([&options](const std::string&) { options.out_given = true; })
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--trace", options.trace, "Whose traces to keep; failed means all that did not pass")
      ->check(one_of({"all", "failed", "none"}))
      ->type_name("all|failed|none")
      ->capture_default_str();
  command.add_option("-j,--jobs", options.jobs, jobs_about)
      ->check(CLI::Range(1, 100'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("-k", options.pattern,
                  "Only checks whose scenario/id holds this text; with a leading ! those that do not")
      ->type_name("PATTERN");
  command.add_option("--timeout", options.timeout, "How long a probe waits: 500ms, 2s")
      ->type_name("TIME")
      ->capture_default_str();
  declare(command, static_cast<ReportOptions&>(options));
}

}  // namespace plumbline::cli
