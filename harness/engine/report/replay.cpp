#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {

void replay(const RunResult& run, Reporter& reporter) {
  for (const ScenarioResult& scenario : run.scenarios) {
    reporter.scenario_started(scenario, scenario.checks.size());
    for (const CheckResult& check : scenario.checks) reporter.check_finished(scenario, check);
    reporter.scenario_finished(scenario);
  }
  reporter.run_finished(run);
}

}  // namespace plumbline::engine
