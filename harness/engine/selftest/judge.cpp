#include "harness/engine/selftest/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plumbline::engine::selftest {
namespace {

bool noticed(const CheckResult& check) {
  return check.verdict == Verdict::fail || check.verdict == Verdict::inconclusive;
}

std::string first_cause(const CheckResult& check) {
  return check.causes.empty() ? "" : check.causes.front().code;
}

std::string with_causes(const CheckResult& check) {
  std::vector<std::string> codes;
  for (const Cause& cause : check.causes) codes.push_back(cause.code);
  const char* verdict = engine::to_text(check.verdict);
  if (!noticed(check)) return verdict;
  return codes.empty() ? fmt::format("{}, no cause", verdict)
                       : fmt::format("{}, cause {}", verdict, fmt::join(codes, ", "));
}

std::string in_words(const Expectation& expected) {
  std::vector<std::string> verdicts;
  for (const Verdict verdict : expected.verdicts) verdicts.emplace_back(engine::to_text(verdict));
  std::string text = fmt::format("{}", fmt::join(verdicts, " or "));
  if (!expected.causes.empty()) text += fmt::format(", cause {}", fmt::join(expected.causes, " or "));
  return text;
}

/// Nothing: the check did as expected.
std::optional<Outcome> wrong_in(const CheckResult& check, const Expectation& expected) {
  if (std::ranges::find(expected.verdicts, check.verdict) == expected.verdicts.end()) {
    // To say that something is wrong where nothing can be said is an alarm without proof.
    return check.verdict == Verdict::fail ? Outcome::false_alarm : Outcome::missed;
  }
  const auto& causes = expected.causes;
  if (causes.empty() || std::ranges::find(causes, first_cause(check)) != causes.end()) return std::nullopt;
  return Outcome::wrong_cause;
}

class Judge {
 public:
  Judge(const Fault& fault, const ScenarioResult& result) : fault_(fault), met_(fault.expected.size()) {
    judged_.id = fault.id;
    judged_.about = fault.about;
    judged_.kind = fault.kind;
    judged_.setup = result.setup;
    judged_.file = fault.file;
    judged_.duration_ms = result.build_ms + result.checks_ms + result.teardown_ms;
    for (const CheckResult& check : result.checks) add(check);
    for (std::size_t i = 0; i < met_.size(); ++i) require_some(i, result.checks);
    judged_.outcome = outcome();
    if (result.error) {
      judged_.outcome = Outcome::broken;
      judged_.problem = result.error->message;
      judged_.remedy = result.error->remedy;
    } else if (is_skipped(result)) {
      judged_.outcome = Outcome::skipped;
      judged_.problem = result.checks.empty() ? "no check was run" : result.checks.front().observed;
      judged_.findings.clear();
    }
  }

  FaultResult take() { return std::move(judged_); }

 private:
  void add(const CheckResult& check) {
    if (noticed(check)) {
      ++judged_.noticed;
      if (!check.causes.empty()) judged_.causes.insert(first_cause(check));
    }
    if (check.verdict == Verdict::error || check.verdict == Verdict::skip) {
      return find(Outcome::broken, "a verdict", check);
    }
    const auto expected = std::ranges::find_if(
        fault_.expected, [&](const Expectation& each) { return each.is_about(check.id); });
    if (expected == fault_.expected.end()) {
      if (noticed(check)) find(Outcome::false_alarm, "pass", check);
      return;
    }
    if (noticed(check)) ++met_[static_cast<std::size_t>(expected - fault_.expected.begin())];
    if (expected->some > 0 && !noticed(check)) return;
    if (const auto wrong = wrong_in(check, *expected)) find(*wrong, in_words(*expected), check);
  }

  void require_some(std::size_t index, const std::vector<CheckResult>& checks) {
    const Expectation& expected = fault_.expected[index];
    if (met_[index] >= expected.some) return;
    const auto about =
        std::ranges::find_if(checks, [&](const CheckResult& check) { return expected.is_about(check.id); });
    if (about != checks.end())
      find(Outcome::missed, fmt::format("{} of them: {}", expected.some, in_words(expected)), *about);
  }

  void find(Outcome outcome, std::string expected, const CheckResult& check) {
    judged_.findings.push_back({outcome, std::move(expected), with_causes(check), check});
  }

  Outcome outcome() const {
    for (const Outcome worst :
         {Outcome::broken, Outcome::missed, Outcome::false_alarm, Outcome::wrong_cause}) {
      if (std::ranges::find(judged_.findings, worst, &Finding::outcome) != judged_.findings.end())
        return worst;
    }
    return Outcome::caught;
  }

  static bool is_skipped(const ScenarioResult& result) {
    return std::ranges::all_of(result.checks,
                               [](const CheckResult& check) { return check.verdict == Verdict::skip; });
  }

  const Fault& fault_;
  FaultResult judged_;
  std::vector<std::size_t> met_;  ///< by expectation: how many checks noticed
};

}  // namespace

const char* to_text(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::caught:
      return "caught";
    case Outcome::missed:
      return "missed";
    case Outcome::wrong_cause:
      return "wrong cause";
    case Outcome::false_alarm:
      return "false alarm";
    case Outcome::broken:
      return "broken";
    case Outcome::skipped:
      break;
  }
  return "skipped";
}

std::size_t Selftest::count(Outcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count(faults, outcome, &FaultResult::outcome));
}

int Selftest::exit_status() const {
  if (interrupted) return 130;
  const std::size_t right = count(Outcome::caught);
  const std::size_t skipped = count(Outcome::skipped);
  if (right + skipped < faults.size()) return 1;
  return skipped > 0 || faults.empty() ? 4 : 0;
}

FaultResult judge(const Fault& fault, const ScenarioResult& result) {
  return Judge(fault, result).take();
}

}  // namespace plumbline::engine::selftest
