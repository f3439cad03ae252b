#include "harness/engine/report/shared_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace plumbline::engine {

SharedCauses shared_causes(const RunResult& run, std::size_t at_most) {
  std::vector<SharedCause> all;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> known;  // index into `all`
  std::set<std::tuple<std::size_t, std::string, std::string, std::string>> counted;
  const bool several_hosts = run.has_several_hosts();
  for (const ScenarioResult& scenario : run.scenarios) {
    const std::string host = several_hosts ? scenario.host : "";
    for (const CheckResult& check : scenario.checks) {
      if (check.verdict == Verdict::pass || check.verdict == Verdict::skip || check.causes.empty()) continue;
      const Cause& cause = check.causes.front();
      const auto [found, is_new] = known.try_emplace({host, cause.code, cause.summary}, all.size());
      if (is_new) all.push_back({{cause.code, cause.summary, {}, cause.fix, cause.proven}, false, 0, host});
      SharedCause& shared = all[found->second];
      if (counted.emplace(found->second, scenario.name, scenario.setup, check.id).second) ++shared.checks;
      shared.cause.proven = shared.cause.proven && cause.proven;
      shared.fixes_differ = shared.fixes_differ || shared.cause.fix != cause.fix;
    }
  }
  std::erase_if(all, [](const SharedCause& each) { return each.checks < 2; });
  for (SharedCause& each : all) {
    if (each.fixes_differ) each.cause.fix.clear();
  }
  std::ranges::stable_sort(all, std::ranges::greater(), &SharedCause::checks);
  const std::size_t others = all.size() > at_most ? all.size() - at_most : 0;
  all.resize(all.size() - others);
  return {std::move(all), others};
}

std::string headline(const SharedCause& shared) {
  return fmt::format("{} checks{} have {}", shared.checks, shared.host.empty() ? "" : " on " + shared.host,
                     shared.fixes_differ ? "causes of one kind" : "one cause");
}

std::string fix_text(const SharedCause& shared) {
  return shared.fixes_differ ? "differs: see each check" : shared.cause.fix;
}

}  // namespace plumbline::engine
