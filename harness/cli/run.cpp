#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "harness/base/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/output.hpp"
#include "harness/cli/reports.hpp"
#include "harness/cli/selection.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/engine/run/pool.hpp"
#include "harness/engine/run/runner.hpp"

namespace plumbline::cli {
namespace {

struct RunArguments {
  std::vector<std::string> specs;
  std::vector<std::string> reports;
  std::string out = "plumbline-out";
  bool out_given = false;
  std::string trace = "failed";
  std::string pattern;
  std::string setup;
  std::string color = "auto";
  std::string timeout = "1s";
  bool trace_rules = true;
  std::size_t jobs = engine::RunOptions{}.jobs;
  engine::PoolOptions pool;
  bool verbose = false;
  bool quiet = false;
};

engine::TraceWhich parse_trace(std::string_view text) {
  if (text == "all") return engine::TraceWhich::all;
  return text == "none" ? engine::TraceWhich::none : engine::TraceWhich::failed;
}

engine::RunOptions run_options(const RunArguments& arguments) {
  engine::RunOptions options;
  options.pattern = arguments.pattern;
  options.jobs = arguments.jobs;
  options.timeout = parse_timeout(arguments.timeout);
  options.trace_rules = arguments.trace_rules;
  options.out_directory = arguments.out;
  options.trace = parse_trace(arguments.trace);
  return options;
}

engine::Verbosity verbosity(const RunArguments& arguments) {
  if (arguments.quiet) return engine::Verbosity::quiet;
  return arguments.verbose ? engine::Verbosity::verbose : engine::Verbosity::normal;
}

void require_places_to_write(const RunArguments& arguments, const std::vector<ReportRequest>& reports) {
  for (const ReportRequest& report : reports) {
    if (!report.file.empty()) require_writable_file(report.file);
  }
  if (arguments.trace == "none") return;
  if (arguments.out.empty())
    throw Error("--out: expected a folder", ErrorKind::usage).with_remedy("--trace none writes no traces");
  require_writable_folder(arguments.out);
}

/// A read-only current folder is no reason not to run: only the folder that was not asked for is done
/// without.
bool default_out_is_unwritable(const RunArguments& arguments) {
  if (arguments.out_given || arguments.trace == "none") return false;
  try {
    require_writable_folder(arguments.out);
    return false;
  } catch (const Error& error) {
    fmt::print(stderr, "plumbline: no traces will be written: {}\n  remedy: name a folder with --out\n",
               error.what());
    return true;
  }
}

/// Everything that a user can get wrong is found before anything is built.
int run(RunArguments arguments) {
  if (default_out_is_unwritable(arguments)) arguments.trace = "none";
  const engine::RunOptions options = run_options(arguments);
  const std::vector<ReportRequest> requests = parse_reports(arguments.reports);
  std::vector<spec::Spec> specs = load_scenarios(engine::spec_files(arguments.specs));
  select_setup(specs, arguments.setup);
  require_checks(specs, options);
  require_places_to_write(arguments, requests);
  spdlog::debug("{} scenarios, {} at once", specs.size() * arguments.pool.repetitions,
                arguments.pool.parallel);
  engine::Pool pool(specs, options, arguments.pool);
  Reports reports(requests, arguments.color, verbosity(arguments));
  const engine::RunResult result = pool.run(reports.reporters());
  reports.finish();
  return result.exit_status();
}

void declare(CLI::App& command, RunArguments& arguments) {
  command.add_option("SPEC", arguments.specs,
                     "Spec files, or folders of *.yaml; by default all scenarios that ship");
  command
      .add_option(
          "--report", arguments.reports,
          fmt::format("How to report: {}. Without FILE to standard output. Repeatable", report_formats()))
      ->type_name("FORMAT[=FILE]")
      ->allow_extra_args(false);
  command.add_option("--out", arguments.out, "Folder for traces (pcapng)")
      ->each([&arguments](const std::string&) { arguments.out_given = true; })
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--trace", arguments.trace, "Whose traces to keep; failed means all that did not pass")
      ->check(one_of({"all", "failed", "none"}))
      ->type_name("all|failed|none")
      ->capture_default_str();
  command.add_flag("!--no-trace-rules", arguments.trace_rules,
                   "Do not have kernels report what they do with each probe, but where a check is about "
                   "that: what drops one is "
                   "then not named, and a denial in silence takes the whole time-out");
  command.add_option("-j,--jobs", arguments.jobs, "Checks of a scenario under way at once")
      ->check(CLI::Range(1, 100'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--parallel", arguments.pool.parallel, "Scenarios under way at once")
      ->check(CLI::Range(1, 1'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--repeat", arguments.pool.repetitions,
                  "Run all of it N times, and say whether any verdict differed")
      ->check(CLI::Range(1, 1'000).description(""))
      ->type_name("N");
  command
      .add_option("-k", arguments.pattern,
                  "Only checks whose scenario/id holds this text; with a leading ! those that do not")
      ->type_name("PATTERN");
  command.add_option("--setup", arguments.setup, "Only scenarios with this setup, or kind of setup")
      ->type_name("SETUP");
  command.add_option("--timeout", arguments.timeout, "How long a probe waits: 500ms, 2s")
      ->type_name("TIME")
      ->capture_default_str();
  CLI::Option* verbose =
      command.add_flag("-v,--verbose", arguments.verbose, "Detail for checks that passed, too");
  command.add_flag("-q,--quiet", arguments.quiet, "Only what did not pass, and the totals")
      ->excludes(verbose);
  command.add_option("--color", arguments.color, "auto: on a terminal, unless NO_COLOR is set")
      ->check(one_of({"auto", "always", "never"}))
      ->type_name("auto|always|never")
      ->capture_default_str();
}

}  // namespace

Action add_run(CLI::App& app) {
  CLI::App* command = app.add_subcommand("run", "Run scenarios in disposable namespaces");
  const auto arguments = std::make_shared<RunArguments>();
  declare(*command, *arguments);
  command->footer(
      fmt::format("Examples:\n"
                  "  plumbline run scenarios/diy.yaml\n"
                  "  plumbline run specs/ -k '!udp' --trace all --out traces\n"
                  "  plumbline run --report json | jq .summary\n"
                  "  plumbline run --repeat 20 -q           does any verdict ever differ?\n"
                  "\n"
                  "PLUMBLINE_LOG=debug says on standard error what is being done.\n"
                  "PLUMBLINE_DATA names the folder that holds scenarios/ and fixtures/worlds/.\n"
                  "\n{}",
                  kExitStatuses));
  return [arguments](const Invocation&) { return run(*arguments); };
}

}  // namespace plumbline::cli
