#include "harness/engine/selftest/selftest.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "harness/cli/command.hpp"
#include "harness/cli/mutate.hpp"
#include "harness/cli/reports.hpp"
#include "harness/engine/selftest/report.hpp"

namespace plumbline::cli {
namespace {

namespace selftest = engine::selftest;

struct SelftestArguments {
  std::vector<std::string> faults;
  std::vector<std::string> mutated;
  std::string setup;
  std::vector<std::string> reports;
  std::string pattern;
  std::string color = "auto";
  std::string timeout = "1s";
  bool trace_rules = true;
  engine::PoolOptions pool;
  bool verbose = false;
  bool quiet = false;
};

engine::Verbosity verbosity(const SelftestArguments& arguments) {
  if (arguments.quiet) return engine::Verbosity::quiet;
  return arguments.verbose ? engine::Verbosity::verbose : engine::Verbosity::normal;
}

std::vector<selftest::Fault> chosen(const SelftestArguments& arguments) {
  std::vector<selftest::Fault> faults = selftest::load_catalogue(arguments.faults);
  const std::size_t all = faults.size();
  std::erase_if(faults, [&](const selftest::Fault& fault) { return !matches(arguments.pattern, fault.id); });
  if (faults.empty()) {
    throw Error(fmt::format("-k '{}' selects none of {} faults", arguments.pattern, all), ErrorKind::usage)
        .with_remedy("`plumbline list faults` lists them");
  }
  return faults;
}

engine::RunOptions run_options(const SelftestArguments& arguments) {
  engine::RunOptions options;
  options.timeout = parse_timeout(arguments.timeout);
  options.trace_rules = arguments.trace_rules;
  options.trace = engine::TraceWhich::none;
  return options;
}

int run_mutants(const SelftestArguments& arguments) {
  if (!arguments.faults.empty())
    throw Error("--mutate changes scenarios by itself, and takes no faults", ErrorKind::usage);
  MutateArguments mutate;
  mutate.specs = arguments.mutated;
  mutate.reports = arguments.reports;
  mutate.setup = arguments.setup;
  mutate.color = arguments.color;
  mutate.verbosity = verbosity(arguments);
  mutate.options.run = run_options(arguments);
  mutate.options.pool = arguments.pool;
  mutate.options.pattern = arguments.pattern;
  return cli::mutate(mutate);
}

/// Everything that a user can get wrong is found before anything is built.
int run(const SelftestArguments& arguments) {
  if (!arguments.mutated.empty()) return run_mutants(arguments);
  const engine::RunOptions options = run_options(arguments);
  const std::vector<selftest::Fault> faults = chosen(arguments);
  const std::vector<OpenReport> reports =
      open_reports(arguments.reports, arguments.color, verbosity(arguments));
  const selftest::Selftest result =
      selftest::run(faults, options, arguments.pool, [&](const selftest::FaultResult& fault) {
        for (const OpenReport& report : reports) {
          if (report.format == "console")
            report.output->stream() << selftest::console_line(report.console, fault) << std::flush;
        }
      });
  for (const OpenReport& report : reports) {
    report.output->stream() << (report.format == "json" ? selftest::to_json(result)
                                                        : selftest::console_totals(report.console, result));
  }
  finish_all(reports);
  return result.exit_status();
}

void declare(CLI::App& command, SelftestArguments& arguments) {
  command.add_option("FAULT", arguments.faults,
                     "Files of faults or of healthy scenarios; by default all that ship");
  CLI::Option* mutate =
      command.add_option("--mutate", arguments.mutated,
                         "Instead, change each line of these scenarios' rulesets and routing "
                         "by itself: lines that no check "
                         "notices are what the spec does not promise");
  mutate->type_name("SPEC");
  command.add_option("--setup", arguments.setup, "With --mutate: only this setup, or kind of setup")
      ->type_name("SETUP")
      ->needs(mutate);
  command
      .add_option("-k", arguments.pattern,
                  "Only faults whose class/id holds this text, or mutants whose id does; with a leading ! "
                  "those that do not")
      ->type_name("PATTERN");
  command
      .add_option(
          "--report", arguments.reports,
          fmt::format("How to report: {}. Without FILE to standard output. Repeatable", kPlainFormats))
      ->type_name("FORMAT[=FILE]")
      ->allow_extra_args(false);
  command.add_option("--parallel", arguments.pool.parallel, "Faults under way at once")
      ->check(CLI::Range(1, 1'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--timeout", arguments.timeout, "How long a probe waits: 500ms, 2s")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_flag(
      "!--no-trace-rules", arguments.trace_rules,
      "Do not have kernels report what they do with each probe: causes that rest on it are missed");
  CLI::Option* verbose = command.add_flag("-v,--verbose", arguments.verbose,
                                          "Detail for each check that did not do what it should");
  command.add_flag("-q,--quiet", arguments.quiet, "Only what is not as it should be, and the totals")
      ->excludes(verbose);
  command.add_option("--color", arguments.color, "auto: on a terminal, unless NO_COLOR is set")
      ->check(one_of({"auto", "always", "never"}))
      ->type_name("auto|always|never")
      ->capture_default_str();
}

}  // namespace

Action add_selftest(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "selftest", "Break good networks in every catalogued way: the right checks must notice");
  const auto arguments = std::make_shared<SelftestArguments>();
  declare(*command, *arguments);
  command->footer(
      "Examples:\n"
      "  plumbline selftest                     the whole catalogue\n"
      "  plumbline selftest -k route/ -v        one class of faults, in detail\n"
      "  plumbline selftest my-fault.yaml       a fault of your own\n"
      "  plumbline selftest --mutate my.yaml    what does the spec not promise?\n"
      "\n"
      "Exit status:\n"
      "  0  every fault was caught by the right checks with the right cause, and no alarm was false\n"
      "  1  some were missed, or given a wrong cause, or gave a false alarm, or could not be tried;\n"
      "     with --mutate: a mutant survived that the spec does not declare equivalent\n"
      "  2  the command line or a fault is wrong; nothing was built\n"
      "  3  this machine cannot run it; the remedy is said\n"
      "  4  nothing is wrong, but some were skipped, for want of a program\n"
      "  5  an error\n"
      "  130  interrupted; what had ended is told\n"
      "  128+N  ended by signal N while the faults were read; nothing was built\n");
  return [arguments](const Invocation&) { return run(*arguments); };
}

}  // namespace plumbline::cli
