#include "harness/engine/check/result.hpp"

#include <array>
#include <string_view>

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

std::size_t& counter_of(Summary& summary, Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return summary.passed;
    case Verdict::fail:
      return summary.failed;
    case Verdict::inconclusive:
      return summary.inconclusive;
    case Verdict::skip:
      return summary.skipped;
    case Verdict::error:
      break;
  }
  return summary.errors;
}

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
  Summary summary;
  for (const ScenarioResult& scenario : scenarios) {
    for (const CheckResult& check : scenario.checks) ++counter_of(summary, check.verdict);
    if (scenario.error) ++summary.errors;
  }
  return summary;
}

std::vector<Difference> RunResult::differing() const {
  std::vector<Difference> all;
  if (repetitions < 2) return all;
  std::map<std::array<std::string_view, 3>, std::size_t> known;
  for (const ScenarioResult& scenario : scenarios) {
    const bool broke_off = interrupted || scenario.error.has_value();
    for (const CheckResult& check : scenario.checks) {
      if (broke_off && check.verdict == Verdict::skip) continue;
      const auto [at, first] = known.try_emplace({scenario.name, scenario.setup, check.id}, all.size());
      if (first) all.push_back({scenario.name, scenario.setup, check.id, {}});
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
