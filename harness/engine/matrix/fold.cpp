#include "harness/engine/matrix/fold.hpp"

#include "harness/engine/report/matrix.hpp"

namespace plumbline::engine::matrix {

void fold(RunResult& run) {
  for (ScenarioResult& scenario : run.scenarios) {
    scenario.matrix = matrices(scenario);
    for (const Contradiction& found : contradictions(scenario)) {
      CheckResult& denial = scenario.checks[found.denial];
      if (denial.verdict == Verdict::fail) continue;
      denial.verdict = Verdict::fail;
      denial.observed += "; but " + found.text;
    }
    std::erase_if(scenario.checks, [](const CheckResult& check) { return check.type == kAttempt; });
  }
}

}  // namespace plumbline::engine::matrix
