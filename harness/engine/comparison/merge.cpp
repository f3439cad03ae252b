#include "harness/engine/comparison/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::engine {
namespace {

using Clock = std::chrono::sys_time<std::chrono::duration<double, std::milli>>;

/// "2026-02-28T12:00:00Z".
std::optional<Clock> time_of(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  char end = 0;
  // NOLINTNEXTLINE(cert-err34-c): numbers out of range make no valid date, or one that is years away
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u%c", &year, &month, &day, &hour, &minute, &second,
                  &end) != 7 ||
      end != 'Z')
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

double duration_of(const std::vector<RunResult>& runs) {
  std::optional<Clock> first, last;
  double sum = 0;
  bool all_tell = true;
  for (const RunResult& run : runs) {
    sum += run.duration_ms;
    const std::optional<Clock> start = time_of(run.started);
    all_tell = all_tell && start.has_value();
    if (!start) continue;
    const Clock end = *start + std::chrono::duration<double, std::milli>(run.duration_ms);
    first = first ? std::min(*first, *start) : *start;
    last = last ? std::max(*last, end) : end;
  }
  return all_tell && first ? (*last - *first).count() : sum;
}

/// Parts of a spec's path, as far as they say which file it is: one path may be seen from another folder than
/// the other.
std::vector<std::string> parts_of(const std::string& file) {
  std::vector<std::string> parts;
  for (const auto& part : std::filesystem::path(file).lexically_normal()) {
    if (part != ".." && part != "/") parts.push_back(part.string());
  }
  return parts;
}

/// "specs/a.yaml" and "/srv/specs/a.yaml" may be one file; "specs/a.yaml" and "others/a.yaml" are two.
bool may_be_one_file(const std::string& a, const std::string& b) {
  const std::vector<std::string> one = parts_of(a);
  const std::vector<std::string> other = parts_of(b);
  const auto [at, of_other] = std::mismatch(one.rbegin(), one.rend(), other.rbegin(), other.rend());
  return at == one.rend() || of_other == other.rend();
}

/// Finds two specs of one name.
class Specs {
 public:
  explicit Specs(const std::vector<std::string>& names) : names_(names) {}

  void add(const RunResult& run, std::size_t number) {
    for (const ScenarioResult& scenario : run.scenarios) {
      const auto [known, first] =
          known_.try_emplace({scenario.host, scenario.name, scenario.setup}, scenario.file, number);
      if (!first && !may_be_one_file(known->second.first, scenario.file))
        refuse(scenario, number, known->second);
    }
  }

 private:
  using From = std::pair<std::string, std::size_t>;  ///< the spec's file, and in which run

  std::string name_of(std::size_t run) const {
    return run < names_.size() ? names_[run] : fmt::format("report {}", run + 1);
  }

  [[noreturn]] void refuse(const ScenarioResult& scenario, std::size_t number, const From& known) const {
    throw Error(fmt::format("two specs{} have the name '{}': {} in {}, and {} in {}",
                            scenario.host.empty() ? "" : " of " + scenario.host, scenario.name, known.first,
                            name_of(known.second), scenario.file, name_of(number)),
                ErrorKind::usage)
        .with_remedy("give one of them another name and run it again, or report on them one by one");
  }

  const std::vector<std::string>& names_;
  std::map<std::array<std::string, 3>, From> known_;  ///< by host, scenario, setup
};

/// Where only some runs were interrupted, their scenarios say so.
void mark_interrupted(std::vector<RunResult>& runs) {
  // One that had not come to any scenario has none that could say it: then it might be anybody's.
  const bool anybodys = std::ranges::any_of(
      runs, [](const RunResult& run) { return run.interrupted && run.scenarios.empty(); });
  for (RunResult& run : runs) {
    if (!anybodys && (!run.interrupted || run.tells_whose_interruption())) continue;
    for (ScenarioResult& scenario : run.scenarios) scenario.interrupted = true;
  }
}

/// Numbers what a host has run again.
class Repetitions {
 public:
  /// Scenarios of one run, which may itself have repeated them.
  void add(RunResult& run, std::vector<ScenarioResult>& to) {
    std::map<Key, std::size_t> shifts;
    std::map<Key, std::size_t> most;
    for (ScenarioResult& scenario : run.scenarios) {
      const Key key{scenario.host, scenario.name, scenario.setup};
      shifts.try_emplace(key, 0);
      if (overlaps(key, scenario)) shifts[key] = known_[key].repetitions;
      most[key] = std::max({most[key], scenario.repetition, std::size_t{1}});
    }
    for (ScenarioResult& scenario : run.scenarios) {
      const Key key{scenario.host, scenario.name, scenario.setup};
      const std::size_t shift = shifts[key];
      Known& known = known_[key];
      if (shift > 0) {
        scenario.repetition = std::max<std::size_t>(scenario.repetition, 1) + shift;
        for (const std::size_t earlier : known.at) {
          if (to[earlier].repetition == 0) to[earlier].repetition = 1;
        }
      }
      known.at.push_back(to.size());
      for (const CheckResult& check : scenario.checks) known.checks.insert(check.id);
      to.push_back(std::move(scenario));
    }
    for (const auto& [key, count] : most)
      known_[key].repetitions = std::max(known_[key].repetitions, shifts[key] + count);
  }

  std::size_t most() const {
    std::size_t most = 1;
    for (const auto& [key, known] : known_) most = std::max(most, known.repetitions);
    return most;
  }

 private:
  using Key = std::array<std::string, 3>;  // host, scenario, setup
  struct Known {
    std::size_t repetitions = 0;
    std::set<std::string> checks;
    std::vector<std::size_t> at;  ///< indices of its scenarios
  };

  /// An earlier run had some of the same checks: shards by check are parts of one run.
  bool overlaps(const Key& key, const ScenarioResult& scenario) const {
    const auto known = known_.find(key);
    return known != known_.end() && (scenario.checks.empty() || known->second.checks.empty() ||
                                     std::ranges::any_of(scenario.checks, [&](const CheckResult& check) {
                                       return known->second.checks.contains(check.id);
                                     }));
  }

  std::map<Key, Known> known_;
};

std::string earliest(const std::vector<RunResult>& runs) {
  std::string first;
  for (const RunResult& run : runs) {
    if (!run.started.empty() && (first.empty() || run.started < first)) first = run.started;
  }
  return first;
}

}  // namespace

RunResult merged(std::vector<RunResult> runs, const std::vector<std::string>& names) {
  if (runs.size() == 1) return std::move(runs.front());
  RunResult result;
  result.started = earliest(runs);
  result.duration_ms = duration_of(runs);
  Specs specs(names);
  for (std::size_t i = 0; i < runs.size(); ++i) specs.add(runs[i], i);
  mark_interrupted(runs);
  Repetitions repetitions;
  for (RunResult& run : runs) {
    result.interrupted = result.interrupted || run.interrupted;
    result.repetitions = std::max(result.repetitions, run.repetitions);
    repetitions.add(run, result.scenarios);
  }
  result.repetitions = std::max(result.repetitions, repetitions.most());
  return result;
}

}  // namespace plumbline::engine
