#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/error.hpp"
#include "harness/cli/check_options.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/reports.hpp"
#include "harness/cli/selection.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/engine/run/pool.hpp"
#include "harness/engine/run/runner.hpp"

namespace plumbline::cli {
namespace {

struct RunArguments {
  CheckOptions checks;
  std::vector<std::string> specs;
  std::string setup;
  bool trace_rules = true;
  engine::PoolOptions pool;
};

/// Everything that a user can get wrong is found before anything is built.
int run(RunArguments arguments) {
  do_without_default_out(arguments.checks);
  engine::RunOptions options = arguments.checks.run_options();
  options.trace_rules = arguments.trace_rules;
  std::vector<ReportRequest> requests = parse_reports(arguments.checks.reports);
  std::vector<spec::Spec> specs = load_scenarios(engine::spec_files(arguments.specs));
  select_setup(specs, arguments.setup);
  require_checks(specs, options);
  require_places_to_write(arguments.checks, requests);
  spdlog::debug("{} scenarios, {} at once", specs.size() * arguments.pool.repetitions,
                arguments.pool.parallel);
  engine::Pool pool(specs, options, arguments.pool);
  Reports reports(requests, arguments.checks.color, arguments.checks.verbosity(),
                  {.left_out = count_left_out(specs, options)});
  const engine::RunResult result = pool.run(reports.reporters());
  return reports.finish(result);
}

void declare(CLI::App& command, RunArguments& arguments) {
  command.add_option("SPEC", arguments.specs,
                     "Spec files, or folders of *.yaml; by default all scenarios that ship");
  declare(command, arguments.checks, "Checks of a scenario under way at once");
  command.add_flag("!--no-trace-rules", arguments.trace_rules,
                   "Do not have kernels report what they do with each probe, but where a check is about "
                   "that: what drops one is "
                   "then not named, and a denial in silence takes the whole time-out");
  command.add_option("--parallel", arguments.pool.parallel, "Scenarios under way at once")
      ->check(CLI::Range(1, 1'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--repeat", arguments.pool.repetitions,
                  "Run all of it N times, and say whether any verdict differed")
      ->check(CLI::Range(1, 1'000).description(""))
      ->type_name("N");
  command.add_option("--setup", arguments.setup, "Only scenarios with this setup, or kind of setup")
      ->type_name("SETUP");
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
