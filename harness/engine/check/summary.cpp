#include "harness/engine/check/summary.hpp"

#include <fmt/format.h>

namespace plumbline::engine {
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

}  // namespace

Summary summary_of(const ScenarioResult& scenario) {
  Summary summary;
  for (const CheckResult& check : scenario.checks) ++counter_of(summary, check.verdict);
  if (scenario.error) ++summary.errors;
  return summary;
}

std::string to_text(const Summary& summary) {
  return fmt::format("{} passed, {} failed, {} inconclusive, {} skipped, {}", summary.passed, summary.failed,
                     summary.inconclusive, summary.skipped,
                     summary.errors == 1 ? "1 error" : fmt::format("{} errors", summary.errors));
}

}  // namespace plumbline::engine
