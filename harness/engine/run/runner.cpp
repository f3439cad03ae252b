#include "harness/engine/run/runner.hpp"

#include <fmt/chrono.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <ctime>

#include "checks/kinds.hpp"
#include "harness/engine/change/kinds.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/run/scenario_run.hpp"
#include "harness/engine/run/selection.hpp"

namespace plumbline::engine {

namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

spec::LoadOptions load_options(const std::string& fixtures) {
  spec::LoadOptions options;
  options.worlds_directory = fixtures + "/worlds";
  options.setups_directory = fixtures + "/setups";
  for (const CheckKind& kind : checks::check_kinds()) options.check_kinds.push_back(kind.name);
  for (const ChangeKind& kind : change_kinds()) options.change_kinds.push_back(kind.name);
  return options;
}

std::vector<std::pair<std::string, std::string>> list_checks(const std::vector<spec::Spec>& specs,
                                                             const RunOptions& options) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const spec::Spec& spec : specs) {
    for (CheckResult& promise : promises(spec, options)) names.emplace_back(spec.name, std::move(promise.id));
  }
  return names;
}

std::vector<CheckResult> promises(const spec::Spec& spec, const RunOptions& options) {
  std::vector<CheckResult> promises;
  const Selection selection = select_checks(spec, options);
  for (std::size_t i = 0; i < selection.wanted.size(); ++i) {
    if (selection.wanted[i]) promises.push_back(selection.plan.checks[i]->promise);
  }
  return promises;
}

std::string setup_name(const spec::Spec& spec) {
  return spec.setup ? spec.setup->name : "";
}

ScenarioResult describe(const spec::Spec& spec) {
  ScenarioResult scenario;
  scenario.name = spec.name;
  scenario.file = spec.file;
  scenario.setup = setup_name(spec);
  scenario.about = spec.about;
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) scenario.host = host.data();
  return scenario;
}

std::string now_in_utc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

RunResult run(const std::vector<spec::Spec>& specs, const RunOptions& options,
              const std::vector<Reporter*>& reporters) {
  const auto start = Clock::now();
  std::vector<Selection> selections;
  for (const spec::Spec& spec : specs) selections.push_back(select_checks(spec, options));
  RunResult run;
  run.started = now_in_utc();
  for (std::size_t i = 0; i < specs.size() && !run.interrupted; ++i) {
    const std::size_t count = selections[i].count();
    if (count == 0) continue;
    ScenarioResult& scenario = run.scenarios.emplace_back(describe(specs[i]));
    scenario.repetition = options.repetition;
    for (Reporter* reporter : reporters) reporter->scenario_started(scenario, count);
    run.interrupted = !ScenarioRun(specs[i], selections[i], options, reporters, scenario).run();
    for (Reporter* reporter : reporters) reporter->scenario_finished(scenario);
  }
  run.duration_ms = ms_since(start);
  for (Reporter* reporter : reporters) reporter->run_finished(run);
  return run;
}

}  // namespace plumbline::engine
