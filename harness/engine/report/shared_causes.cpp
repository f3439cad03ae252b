#include "harness/engine/report/shared_causes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace plumbline::engine {

std::vector<SharedCause> shared_causes(const RunResult& run) {
  std::vector<SharedCause> all;
  std::map<std::pair<std::string, std::string>, std::size_t> known;  // index into `all`
  // In several repetitions a check is one check all the same.
  std::set<std::tuple<std::size_t, std::string, std::string, std::string, std::string>> counted;
  for (const ScenarioResult& scenario : run.scenarios) {
    for (const CheckResult& check : scenario.checks) {
      if (check.verdict == Verdict::pass || check.causes.empty()) continue;
      const Cause& cause = check.causes.front();
      const auto [found, is_new] = known.try_emplace({cause.code, cause.summary}, all.size());
      if (is_new) all.push_back({{cause.code, cause.summary, {}, cause.fix, cause.proven}});
      SharedCause& shared = all[found->second];
      const bool first =
          counted.emplace(found->second, scenario.name, scenario.setup, scenario.host, check.id).second;
      if (first) ++shared.checks;
      shared.cause.proven = shared.cause.proven && cause.proven;
      shared.fixes_differ = shared.fixes_differ || shared.cause.fix != cause.fix;
    }
  }
  std::erase_if(all, [](const SharedCause& each) { return each.checks < 2; });
  for (SharedCause& each : all) {
    if (each.fixes_differ) each.cause.fix.clear();
  }
  std::ranges::stable_sort(all, std::ranges::greater(), &SharedCause::checks);
  return all;
}

}  // namespace plumbline::engine
