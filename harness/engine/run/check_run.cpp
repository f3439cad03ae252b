#include "harness/engine/run/check_run.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/check/kernel_view.hpp"
#include "harness/engine/report/place.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/run/drawn.hpp"
#include "harness/engine/run/trace.hpp"

namespace plumbline::engine {
namespace {

double ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// What is told of the probe beside what it came to.
void drop_evidence(CheckResult& result) {
  result.journey = {};
  result.kernel = {};
  result.incomplete = {};
  result.frames_lost = false;
  result.conntrack = {};
}

}  // namespace

CheckRun::CheckRun(EventLoop& loop, const Selection& selection, const RunOptions& options,
                   const std::vector<Reporter*>& reporters, ScenarioResult& result)
    : loop_(loop), plan_(selection.plan), options_(options), reporters_(reporters), result_(result) {
  const std::size_t count = plan_.checks.size();
  // Pointers into both are kept.
  result_.checks.reserve(count);
  unwanted_.reserve(count);
  first_after_.resize(plan_.changes.size());
  for (std::size_t i = 0; i < count; ++i) {
    auto& into = selection.wanted[i] ? result_.checks : unwanted_;
    CheckResult& check = into.emplace_back(plan_.checks[i]->promise);
    check.verdict = Verdict::skip;
    check.observed = "not run";
    results_.push_back(&check);
    for (std::size_t change = plan_.checks[i]->phase; change < first_after_.size(); ++change) {
      first_after_[change] = result_.checks.size();
    }
  }
  outcomes_.resize(count);
}

void CheckRun::note(ScenarioError error) {
  if (result_.error) return;
  if (error.where == result_.file) error.where = place_in(result_.file, error.message);
  result_.error = std::move(error);
  skip("the scenario could not be run to its end");
}

void CheckRun::skip(std::string_view reason) {
  for (CheckResult& check : result_.checks) {
    if (check.verdict == Verdict::skip) check.observed = reason;
  }
}

std::vector<Need> CheckRun::needs() const {
  std::vector<Need> needs;
  for (const auto& check : plan_.checks) {
    const auto wanted = check->needs();
    needs.insert(needs.end(), wanted.begin(), wanted.end());
  }
  return needs;
}

std::vector<FrameWatch> CheckRun::watches() const {
  std::vector<FrameWatch> watches;
  for (const auto& check : plan_.checks) {
    const auto wanted = check->watches();
    watches.insert(watches.end(), wanted.begin(), wanted.end());
  }
  return watches;
}

void CheckRun::open(const network::LiveNetwork& network, network::Topology found, StageOptions options) {
  options.timeout = options_.timeout;
  if (!options.live || options_.trace_rules) options.traced = traced_nodes(plan_.checks);
  options.trace_rules = options_.trace_rules;
  options.drops = options.live || options_.trace_rules;
  options.checks = std::min(options_.jobs, plan_.checks.size());
  result_.network = drawn(found);
  stage_.emplace(loop_.executor(), network, std::move(found), needs(), options);
  stage_->watch(watches());
}

void CheckRun::run(const std::function<bool(std::size_t)>& change) {
  const auto start = Clock::now();
  bool going = true;
  for (std::size_t phase = 0; going && phase <= plan_.changes.size(); ++phase) {
    run_phase(phase);
    if (loop_.interrupted()) break;
    if (phase < plan_.changes.size()) going = change(phase);
  }
  if (going && !loop_.interrupted()) {
    std::vector<std::size_t> last;
    for (std::size_t i = 0; i < plan_.checks.size(); ++i) {
      if (plan_.checks[i]->judged_last()) last.push_back(i);
    }
    run_group(std::move(last));
  }
  result_.checks_ms = ms_since(start);
  if (loop_.interrupted()) skip("interrupted");
}

void CheckRun::run_phase(std::size_t phase) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < plan_.checks.size(); ++i) {
    const Check& check = *plan_.checks[i];
    if (check.phase == phase && !check.judged_last()) indices.push_back(i);
  }
  run_group(std::move(indices));
}

/// Checks that do not come before or after one another are under way together.
void CheckRun::run_group(std::vector<std::size_t> indices) {
  group_ = std::move(indices);
  next_ = 0;
  loop_.run(std::min(std::max<std::size_t>(options_.jobs, 1), group_.size()), [this] { return work(); });
  if (!questions_.empty() && !loop_.interrupted()) loop_.run(explain());
  questions_.clear();
}

/// When no probe of the group is under way any more: to look through a network takes so long that the
/// servers, which live in the same loop, would answer too late. Probes that nothing explains are sent again,
/// one at a time: what the kernel counts meanwhile is about that one. A network that is broken throughout has
/// the same cause everywhere, so some are enough.
boost::asio::awaitable<void> CheckRun::explain() {
  constexpr std::size_t most = 12;
  LiveFacts facts(*stage_);
  std::size_t counted = 0;
  for (Question& each : questions_) {
    CheckResult& result = *results_[each.check];
    if (is_unexplained(each.question) && counted++ < most) {
      try {
        co_await stage_->count_again(each.question);
      } catch (const Error& error) {
        spdlog::debug("{}: counting: {}", result.id, error.what());
      }
    }
    find_causes(std::move(each.question), *stage_, facts, result);
  }
}

/// Takes the next check of the group until none is left.
boost::asio::awaitable<void> CheckRun::work() {
  while (next_ < group_.size()) {
    const std::size_t index = group_[next_++];
    CheckResult& result = *results_[index];
    const auto start = Clock::now();
    try {
      Outcome outcome;
      if (lacks_trace(*plan_.checks[index])) {
        outcome.judgement.observed = "which rules a packet meets, only their trace tells: add --trace-rules";
      } else {
        outcome = co_await plan_.checks[index]->run(*stage_);
      }
      co_await learn_more(*stage_, outcome, result);
      tell(outcome, stage_->topology(), result);
      if (options_.verdicts_only) {
        drop_evidence(result);
      } else if (outcome.question) {
        questions_.push_back({index, std::move(*outcome.question)});
      }
      if (wants_trace(result)) outcomes_[index] = std::move(outcome);
    } catch (const Error& error) {
      result.verdict = Verdict::error;
      result.observed = error.what();
      if (!error.remedy().empty()) result.observed += "; remedy: " + error.remedy();
    }
    result.duration_ms = ms_since(start);
    if (!is_wanted(result)) continue;
    for (Reporter* reporter : reporters_) reporter->check_finished(result_, result);
  }
}

/// It is about what rules do, and a live host's are traced only where that is asked for.
bool CheckRun::lacks_trace(const Check& check) const {
  return stage_->is_live() && !options_.trace_rules && !check.traced().empty();
}

bool CheckRun::is_wanted(const CheckResult& check) const {
  return unwanted_.empty() || &check < unwanted_.data() || &check >= unwanted_.data() + unwanted_.size();
}

bool CheckRun::wants_trace(const CheckResult& check) const {
  if (!is_wanted(check) || options_.out_directory.empty() || options_.trace == TraceWhich::none) return false;
  return options_.trace == TraceWhich::all || check.verdict != Verdict::pass;
}

void CheckRun::write_traces() {
  if (!stage_) return;
  const std::vector<std::string> watched = watched_places(stage_->topology());
  const std::string folder = trace_folder(result_);
  std::set<std::string> taken;
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    if (!outcomes_[i]) continue;
    CheckResult& check = *results_[i];
    const std::string path = trace_path(options_.out_directory, folder, check.id, taken);
    try {
      write_trace(path, watched, check, *outcomes_[i]);
      check.trace = path;
    } catch (const Error& error) {
      throw error.with_kind(ErrorKind::usage)
          .with_remedy("choose another folder with --out, or --trace none");
    }
  }
}

}  // namespace plumbline::engine
