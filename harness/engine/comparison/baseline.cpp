#include "harness/engine/comparison/baseline.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <unordered_set>

#include "harness/engine/check/words.hpp"
#include "harness/engine/comparison/path.hpp"

namespace plumbline::engine {
namespace {

/// A check as one scenario's run has it.
struct Occurrence {
  const ScenarioResult* scenario = nullptr;
  const CheckResult* check = nullptr;
};

using CheckKey = std::array<std::string_view, 4>;  // host, scenario, setup, check

/// A run's checks, each with all its occurrences.
class Checks {
 public:
  Checks(const RunResult& run, bool hosts_count)
      : interrupted_(run.interrupted), tells_whose_(run.tells_whose_interruption()) {
    for (const ScenarioResult& scenario : run.scenarios) {
      const std::string_view host = hosts_count ? std::string_view(scenario.host) : std::string_view();
      const bool interrupted = run.was_interrupted(scenario);
      if (interrupted) interrupted_hosts_.insert(host);
      for (const CheckResult& check : scenario.checks) {
        if (interrupted && check.verdict == Verdict::skip) continue;  // perhaps only for want of time
        const CheckKey key{host, scenario.name, scenario.setup, check.id};
        const auto [at, first] = index_.try_emplace(key, all_.size());
        if (first) all_.push_back({key, {}});
        all_[at->second].second.push_back({&scenario, &check});
      }
    }
  }
  const std::vector<std::pair<CheckKey, std::vector<Occurrence>>>& all() const { return all_; }
  /// What it lacks of the check's host, it does not have; an interrupted run might only not have come to it.
  bool is_whole(const CheckKey& key) const {
    return !interrupted_ || (tells_whose_ && !interrupted_hosts_.contains(key[0]));
  }
  const std::vector<Occurrence>* find(const CheckKey& key) const {
    const auto at = index_.find(key);
    return at == index_.end() ? nullptr : &all_[at->second].second;
  }

 private:
  bool interrupted_, tells_whose_;
  std::set<std::string_view> interrupted_hosts_;
  std::vector<std::pair<CheckKey, std::vector<Occurrence>>> all_;
  std::map<CheckKey, std::size_t> index_;
};

std::set<std::string_view> hosts_of(const RunResult& run) {
  std::set<std::string_view> hosts;
  for (const ScenarioResult& scenario : run.scenarios) hosts.insert(scenario.host);
  return hosts;
}

bool share_a_host(const RunResult& a, const RunResult& b) {
  const std::set<std::string_view> hosts = hosts_of(a);
  return std::ranges::any_of(hosts_of(b), [&](std::string_view host) { return hosts.contains(host); });
}

Verdict verdict_of(const std::vector<Occurrence>& occurrences) {
  Verdict verdict = occurrences.front().check->verdict;
  for (const Occurrence& one : occurrences) verdict = graver(verdict, one.check->verdict);
  return verdict;
}

/// It was run, so that it has a path.
bool has_path(Verdict verdict) {
  return verdict != Verdict::skip && verdict != Verdict::error;
}

/// Where a host ran it: of several, the first, which stands for all where they are not told apart.
std::string host_of(const std::vector<Occurrence>& occurrences) {
  return occurrences.front().scenario->host;
}

/// The paths of all occurrences of a check, as one.
class Way {
 public:
  void add(Path path, const CheckResult& check) {
    take(path.hops, hops_);
    take(path.rules, rules_);
    told_of_rules_ = told_of_rules_ || path.told_of_rules;
    checks_.push_back(&check);
  }
  const std::vector<Landmark>& hops() const { return hops_; }
  const std::vector<Landmark>& rules() const { return rules_; }
  bool has(const Landmark& one) const { return keys_.contains(one.key); }
  bool tells_of_rules() const { return told_of_rules_; }
  /// Had a packet been there, it would be known.
  bool tells_hops() const { return std::ranges::none_of(checks_, &CheckResult::frames_lost); }
  /// Had the rule been met, it would be known.
  bool would_tell(const Landmark& rule) const {
    return told_of_rules_ && std::ranges::none_of(checks_, [&](const CheckResult* check) {
             return may_miss_rules(*check, rule.node);
           });
  }

 private:
  void take(std::vector<Landmark>& from, std::vector<Landmark>& to) {
    for (Landmark& one : from) {
      if (keys_.insert(one.key).second) to.push_back(std::move(one));
    }
  }

  std::vector<Landmark> hops_, rules_;
  std::unordered_set<std::string> keys_;
  std::vector<const CheckResult*> checks_;
  bool told_of_rules_ = false;
};

/// What only `way` has, as far as `other` would have told it. Adds to `untold` what it might not have. Rules
/// come first: hops mostly follow from them.
std::vector<std::string> only_in(const Way& way, const Way& other, std::size_t& untold) {
  std::vector<std::string> texts;
  for (const Landmark& rule : way.rules()) {
    if (other.has(rule)) continue;
    if (other.would_tell(rule)) {
      texts.push_back(rule.text);
    } else {
      ++untold;
    }
  }
  for (const Landmark& hop : way.hops()) {
    if (other.has(hop)) continue;
    if (other.tells_hops()) {
      texts.push_back(hop.text);
    } else {
      ++untold;
    }
  }
  return texts;
}

class Comparison {
 public:
  Comparison(const RunResult& earlier, const RunResult& now)
      : hosts_count_(share_a_host(earlier, now)), earlier_(earlier, hosts_count_), now_(now, hosts_count_) {}

  void tell(Baseline& baseline) {
    for (const auto& [key, occurrences] : now_.all()) {
      const std::vector<Occurrence>* before = earlier_.find(key);
      BaselineChange change = change_of(key, occurrences);
      change.is = verdict_of(occurrences);
      if (before == nullptr) {
        if (earlier_.is_whole(key)) baseline.changes.push_back(std::move(change));
        continue;
      }
      ++baseline.compared;
      change.was = verdict_of(*before);
      if (has_path(*change.was) && has_path(*change.is)) {
        std::size_t untold = 0;
        compare_paths(*before, occurrences, change, untold);
        if (untold > 0) ++baseline.incomplete;
      }
      if (change.was != change.is || !change.gained.empty() || !change.lost.empty())
        baseline.changes.push_back(std::move(change));
    }
    for (const auto& [key, occurrences] : earlier_.all()) {
      if (now_.find(key) != nullptr || !now_.is_whole(key)) continue;
      BaselineChange change = change_of(key, occurrences);
      change.was = verdict_of(occurrences);
      baseline.changes.push_back(std::move(change));
    }
  }

 private:
  static BaselineChange change_of(const CheckKey& key, const std::vector<Occurrence>& occurrences) {
    BaselineChange change;
    change.host = host_of(occurrences);
    change.scenario = key[1];
    change.setup = key[2];
    change.check = key[3];
    return change;
  }

  void compare_paths(const std::vector<Occurrence>& before, const std::vector<Occurrence>& now,
                     BaselineChange& change, std::size_t& untold) {
    const std::vector<DrawnNode>& names = network_of(now, before);
    const Way was = way_of(before, names);
    const Way is = way_of(now, names);
    change.gained = only_in(is, was, untold);
    change.lost = only_in(was, is, untold);
  }

  /// Whose interfaces' names count.
  static const std::vector<DrawnNode>& network_of(const std::vector<Occurrence>& now,
                                                  const std::vector<Occurrence>& before) {
    for (const auto* occurrences : {&now, &before}) {
      for (const Occurrence& one : *occurrences) {
        if (!one.scenario->network.empty()) return one.scenario->network;
      }
    }
    return now.front().scenario->network;
  }

  Way way_of(const std::vector<Occurrence>& occurrences, const std::vector<DrawnNode>& names) {
    Way way;
    for (const Occurrence& one : occurrences)
      way.add(path_of(*one.check, interfaces_of(*one.scenario, names)), *one.check);
    return way;
  }

  /// A report that does not tell its network is read as if that had been the other's.
  const Interfaces& interfaces_of(const ScenarioResult& scenario, const std::vector<DrawnNode>& names) {
    const std::vector<DrawnNode>& own = scenario.network.empty() ? names : scenario.network;
    return known_.try_emplace({&scenario, &names}, own, names).first->second;
  }

  bool hosts_count_;
  Checks earlier_, now_;
  std::map<std::pair<const ScenarioResult*, const std::vector<DrawnNode>*>, Interfaces> known_;
};

}  // namespace

Baseline compare(const RunResult& earlier, const RunResult& now, std::string name) {
  Baseline baseline;
  baseline.name = std::move(name);
  baseline.started = earlier.started;
  Comparison(earlier, now).tell(baseline);
  return baseline;
}

}  // namespace plumbline::engine
