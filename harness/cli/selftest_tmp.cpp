#include <CLI/CLI.hpp>
#include <memory>
#include "harness/cli/command.hpp"
#include "harness/cli/mutate.hpp"
namespace plumbline::cli {
Action add_selftest(CLI::App& app) {
  CLI::App* command = app.add_subcommand("selftest", "x");
  const auto arguments = std::make_shared<MutateArguments>();
  auto verbose = std::make_shared<bool>(false);
  command->add_option("--mutate", arguments->specs, "x");
  command->add_option("--setup", arguments->setup, "x");
  command->add_option("-k", arguments->options.pattern, "x");
  command->add_option("--report", arguments->reports, "x")->allow_extra_args(false);
  command->add_option("--parallel", arguments->options.pool.parallel, "x");
  command->add_flag("-v", *verbose, "x");
  return [arguments, verbose](const Invocation&) { if (*verbose) arguments->verbosity = engine::Verbosity::verbose; return mutate(*arguments); };
}
}
