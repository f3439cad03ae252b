#include "harness/cli/mutate.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "harness/cli/reports.hpp"
#include "harness/cli/selection.hpp"
#include "harness/engine/mutation/report.hpp"
#include "harness/engine/run/data.hpp"

namespace plumbline::cli {
namespace {

namespace mutation = engine::mutation;

/// A line on a terminal that says how far it is, and is gone again before anything else is written.
void show_progress(const std::string& what) {
  fmt::print(stderr, "\r\x1b[K{}", what);
}

}  // namespace

int mutate(const MutateArguments& arguments) {
  std::vector<spec::Spec> specs = load_scenarios(engine::spec_files(arguments.specs));
  select_setup(specs, arguments.setup);
  const std::vector<OpenReport> reports =
      open_reports(arguments.reports, arguments.color, arguments.verbosity);
  mutation::MutationOptions options = arguments.options;
  options.all_setups = arguments.setup.empty();
  const bool live = ::isatty(STDERR_FILENO) == 1 && arguments.verbosity != engine::Verbosity::quiet;
  if (live) options.progress = show_progress;
  options.told = [&](const mutation::MutationResult& result) {
    if (live) show_progress("");
    for (const OpenReport& report : reports) {
      if (report.format == "console")
        report.output->stream() << mutation::console_scenario(report.console, result) << std::flush;
    }
  };
  const mutation::MutationRun run = mutation::mutate(specs, options);
  const bool none = std::ranges::all_of(run.scenarios, [](const mutation::MutationResult& each) {
    return each.mutants.empty() && !each.problem;
  });
  if (none && !run.interrupted && !options.pattern.empty()) {
    throw Error(fmt::format("-k '{}' selects no mutant", options.pattern), ErrorKind::usage)
        .with_remedy("without -k, --report json lists the ids of all");
  }
  for (const OpenReport& report : reports) {
    report.output->stream() << (report.format == "json" ? mutation::to_json(run)
                                                        : mutation::console_totals(report.console, run));
  }
  finish_all(reports);
  return run.exit_status();
}

}  // namespace plumbline::cli
