#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {
namespace {

int gravity(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::fail:
      return 4;
    case Verdict::error:
      return 3;
    case Verdict::inconclusive:
      return 2;
    case Verdict::pass:
      return 1;
    case Verdict::skip:
      break;
  }
  return 0;
}

/// A check, and what each host came to, in the order in which the hosts are met.
struct OnHosts {
  const ScenarioResult* scenario = nullptr;
  const CheckResult* check = nullptr;
  std::vector<std::pair<std::string_view, Verdict>> verdicts;

  void add(std::string_view host, Verdict verdict) {
    const auto known = std::ranges::find(verdicts, host, &std::pair<std::string_view, Verdict>::first);
    if (known == verdicts.end()) {
      verdicts.emplace_back(host, verdict);
    } else {
      known->second = graver(known->second, verdict);
    }
  }
};

std::vector<OnHosts> by_check(const RunResult& run) {
  std::vector<OnHosts> all;
  std::map<std::array<std::string_view, 3>, std::size_t> known;
  for (const ScenarioResult& scenario : run.scenarios) {
    // What was not run to a verdict is told by itself.
    const bool broke_off = run.was_interrupted(scenario) || scenario.error.has_value();
    for (const CheckResult& check : scenario.checks) {
      if (broke_off && check.verdict == Verdict::skip) continue;
      const auto [at, first] = known.try_emplace({scenario.name, scenario.setup, check.id}, all.size());
      if (first) all.push_back({&scenario, &check, {}});
      all[at->second].add(scenario.host, check.verdict);
    }
  }
  return all;
}

}  // namespace

Verdict graver(Verdict a, Verdict b) noexcept {
  return gravity(a) < gravity(b) ? b : a;
}

bool RunResult::has_several_hosts() const {
  return std::ranges::any_of(
      scenarios, [this](const ScenarioResult& scenario) { return scenario.host != scenarios.front().host; });
}

std::size_t RunResult::shared_by_hosts() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(by_check(*this), [](const OnHosts& one) { return one.verdicts.size() > 1; }));
}

std::vector<HostDifference> RunResult::across_hosts() const {
  std::vector<HostDifference> all;
  if (!has_several_hosts()) return all;
  for (const OnHosts& one : by_check(*this)) {
    HostDifference difference{one.scenario->name, one.scenario->setup, one.check->id, {}};
    for (const auto& [host, verdict] : one.verdicts) difference.hosts[verdict].emplace_back(host);
    if (difference.hosts.size() > 1) all.push_back(std::move(difference));
  }
  return all;
}

}  // namespace plumbline::engine
