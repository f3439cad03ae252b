#include "harness/engine/check/result.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "harness/engine/check/summary.hpp"

namespace plumbline::engine {

const char* to_text(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::skip:
      return "skip";
    case Verdict::error:
      return "error";
  }
  return "error";
}

namespace {

/// Of errors, the one that somebody outside can mend is told first.
int error_status(const std::vector<ScenarioResult>& scenarios) {
  int status = 5;
  for (const ScenarioResult& scenario : scenarios) {
    if (!scenario.error) continue;
    if (scenario.error->kind == ErrorKind::setup) return 1;
    if (scenario.error->kind == ErrorKind::usage) status = 2;
    if (scenario.error->kind == ErrorKind::environment && status == 5) status = 3;
  }
  return status;
}

}  // namespace

Summary RunResult::summary() const {
  Summary all;
  for (const ScenarioResult& scenario : scenarios) {
    const Summary one = summary_of(scenario);
    all.passed += one.passed;
    all.failed += one.failed;
    all.inconclusive += one.inconclusive;
    all.skipped += one.skipped;
    all.errors += one.errors;
  }
  return all;
}

bool RunResult::tells_whose_interruption() const {
  return std::ranges::any_of(scenarios, &ScenarioResult::interrupted);
}

bool RunResult::was_interrupted(const ScenarioResult& scenario) const {
  return scenario.interrupted || (interrupted && !tells_whose_interruption());
}

std::vector<Difference> RunResult::differing() const {
  std::vector<Difference> all;
  if (repetitions < 2) return all;
  std::map<std::array<std::string_view, 4>, std::size_t> known;
  for (const ScenarioResult& scenario : scenarios) {
    const bool broke_off = was_interrupted(scenario) || scenario.error.has_value();
    for (const CheckResult& check : scenario.checks) {
      if (broke_off && check.verdict == Verdict::skip) continue;
      const auto [at, first] =
          known.try_emplace({scenario.host, scenario.name, scenario.setup, check.id}, all.size());
      if (first) all.push_back({scenario.name, scenario.setup, check.id, {}, scenario.host});
      all[at->second].repetitions[check.verdict].push_back(scenario.repetition);
    }
  }
  std::erase_if(all, [](const Difference& check) { return check.repetitions.size() < 2; });
  return all;
}

// A failed check is told before an error: it is what a reader of the status can act on, and the report
// lists the errors beside it.
int RunResult::exit_status() const {
  const Summary counts = summary();
  if (interrupted) return 130;
  if (counts.failed > 0) return 1;
  if (counts.errors > 0) return error_status(scenarios);
  if (counts.inconclusive > 0 || !differing().empty()) return 4;
  // Where all was skipped nothing has been shown.
  if (counts.passed == 0 && counts.skipped > 0) return 4;
  return 0;
}

}  // namespace plumbline::engine
