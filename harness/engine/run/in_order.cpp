#include "harness/engine/run/in_order.hpp"

#include <fmt/format.h>

#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::engine {

void InOrder::started(std::size_t number, ScenarioResult planned) {
  Entry& entry = entries_.at(number);
  entry.planned = planned.checks.size();
  entry.result = std::move(planned);
  entry.started = true;
  advance();
}

void InOrder::ended(std::size_t number, const CheckEnded& check) {
  Entry& entry = entries_.at(number);
  if (entry.finished) throw Error(fmt::format("check {} ends after its scenario", check.index));
  if (check.index >= entry.result.checks.size()) {
    throw Error(fmt::format("check {} of {} ends", check.index, entry.result.checks.size()));
  }
  CheckResult& result = entry.result.checks[check.index];
  result.verdict = check.verdict;
  result.observed = check.observed;
  result.duration_ms = check.duration_ms;
  entry.checks.push_back(check.index);
  advance();
}

void InOrder::ended(std::size_t number, ScenarioResult result) {
  Entry& entry = entries_.at(number);
  if (result.checks.size() != entry.planned) {
    throw Error(fmt::format("a result of {} checks instead of {}", result.checks.size(), entry.planned));
  }
  entry.result = std::move(result);
  finish(entry);
}

void InOrder::broke_off(std::size_t number, std::string_view reason, std::optional<ScenarioError> error) {
  Entry& entry = entries_.at(number);
  for (CheckResult& check : entry.result.checks) {
    if (check.verdict == Verdict::skip) check.observed = reason;
  }
  entry.result.error = std::move(error);
  finish(entry);
}

void InOrder::finish(Entry& entry) {
  entry.finished = true;
  advance();
}

void InOrder::tell(Entry& entry) {
  if (!entry.announced) {
    entry.announced = true;
    for (Reporter* reporter : reporters_) reporter->scenario_started(entry.result, entry.planned);
  }
  for (; entry.told < entry.checks.size(); ++entry.told) {
    const CheckResult& check = entry.result.checks[entry.checks[entry.told]];
    for (Reporter* reporter : reporters_) reporter->check_finished(entry.result, check);
  }
  if (!entry.finished) return;
  for (Reporter* reporter : reporters_) reporter->scenario_finished(entry.result);
}

void InOrder::advance() {
  for (; turn_ < entries_.size() && entries_[turn_].started; ++turn_) {
    tell(entries_[turn_]);
    if (!entries_[turn_].finished) return;
  }
}

std::vector<ScenarioResult> InOrder::take() {
  std::vector<ScenarioResult> results;
  for (std::size_t number = 0; number < entries_.size(); ++number) {
    if (!entries_[number].started) continue;
    if (number >= turn_) tell(entries_[number]);
    results.push_back(std::move(entries_[number].result));
  }
  turn_ = entries_.size();
  return results;
}

}  // namespace plumbline::engine
