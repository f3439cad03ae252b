#include "harness/engine/report/compared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace plumbline::engine {
namespace {

std::string count_of(std::size_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

const std::string& named(const std::string& host) {
  static const std::string unnamed = "a host without a name";
  return host.empty() ? unnamed : host;
}

}  // namespace

std::vector<AlikeChanges> alike(const Baseline& baseline) {
  using Key = std::tuple<std::string_view, std::string_view, std::string_view, std::optional<Verdict>,
                         std::optional<Verdict>, std::vector<std::string>, std::vector<std::string>>;
  std::vector<AlikeChanges> all;
  std::map<Key, std::size_t> known;
  for (const BaselineChange& change : baseline.changes) {
    const Key key{change.host, change.scenario, change.setup, change.was,
                  change.is,   change.gained,   change.lost};
    const auto [at, first] = known.try_emplace(key, all.size());
    if (first) all.push_back({change, {}});
    all[at->second].checks.push_back(change.check);
  }
  return all;
}

std::vector<AlikeDifferences> alike(const std::vector<HostDifference>& differences) {
  using Key = std::tuple<std::string_view, std::string_view, std::map<Verdict, std::vector<std::string>>>;
  std::vector<AlikeDifferences> all;
  std::map<Key, std::size_t> known;
  for (const HostDifference& difference : differences) {
    const auto [at, first] =
        known.try_emplace({difference.scenario, difference.setup, difference.hosts}, all.size());
    if (first) all.push_back({difference, {}});
    all[at->second].checks.push_back(difference.check);
  }
  return all;
}

std::string verdicts_text(const HostDifference& difference) {
  std::string text;
  for (const auto& [verdict, hosts] : difference.hosts) {
    constexpr std::size_t kListed = 5;
    std::string which;
    for (std::size_t i = 0; i < std::min(hosts.size(), kListed); ++i)
      which += fmt::format("{}{}", i == 0 ? "" : ", ", named(hosts[i]));
    if (hosts.size() > kListed) which += fmt::format(" and {} more", hosts.size() - kListed);
    text += fmt::format("{}{} on {}", text.empty() ? "" : "; ", to_text(verdict), which);
  }
  return text;
}

std::string verdicts_text(const BaselineChange& change) {
  if (!change.was) return fmt::format("new: {}", change.is ? to_text(*change.is) : "");
  if (!change.is) return fmt::format("gone: was {}", to_text(*change.was));
  if (change.was == change.is) return fmt::format("{} as before, on another way", to_text(*change.is));
  return fmt::format("was {}, is {}", to_text(*change.was), to_text(*change.is));
}

std::string scenario_text(const std::string& scenario, const std::string& setup, const std::string& host) {
  const std::string which = setup + (setup.empty() || host.empty() ? "" : ", ") + host;
  return which.empty() ? scenario : fmt::format("{} ({})", scenario, which);
}

std::string headline(const Baseline& baseline) {
  std::size_t added = 0;
  std::size_t gone = 0;
  for (const BaselineChange& change : baseline.changes) {
    if (!change.was) ++added;
    if (!change.is) ++gone;
  }
  const std::size_t changed = baseline.changes.size() - added - gone;
  std::string text = fmt::format("compared with {}", baseline.name);
  if (!baseline.started.empty()) text += " of " + baseline.started;
  text += fmt::format(": of {} {} changed", count_of(baseline.compared, "check", "checks"),
                      changed == 0 ? "none" : std::to_string(changed));
  if (added > 0) text += "; " + count_of(added, "is new", "are new");
  if (gone > 0) text += "; " + count_of(gone, "is gone", "are gone");
  return text;
}

std::string gaps(const Baseline& baseline) {
  if (baseline.incomplete == 0) return "";
  return fmt::format("of {} not all rules and hops could be compared: one of the runs does not tell them",
                     count_of(baseline.incomplete, "check", "checks"));
}

}  // namespace plumbline::engine
