#include "harness/engine/run/scenario_run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <initializer_list>
#include <set>
#include <utility>

#include "harness/engine/check/arrange.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/check/kernel_view.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/run/trace.hpp"
#include "harness/network/discovery/discover.hpp"

namespace plumbline::engine {
namespace {

double ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Signals that came before there was a handler have waited for it.
void unblock(std::initializer_list<int> signals) {
  sigset_t set{};
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

/// What is told of the probe beside what it came to.
void drop_evidence(CheckResult& result) {
  result.journey = {};
  result.kernel = {};
  result.incomplete = {};
  result.conntrack = {};
}

}  // namespace

ScenarioRun::ScenarioRun(const spec::Spec& spec, const Selection& selection, const RunOptions& options,
                         const std::vector<Reporter*>& reporters, ScenarioResult& result)
    : spec_(spec),
      declared_(spec.intended()),
      plan_(selection.plan),
      options_(options),
      reporters_(reporters),
      result_(result) {
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

bool ScenarioRun::run() {
  // The handlers are in place before anything is built: pid 1 of a pid namespace has no default ones.
  boost::asio::signal_set signals(loop_, SIGINT, SIGTERM, SIGHUP);
  signals.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    interrupted_ = true;
    loop_.stop();
  });
  unblock({SIGINT, SIGTERM, SIGHUP});
  guarded([this] {
    arrange();
    if (stage_) run_checks();
  });
  signals.cancel();
  guarded([this] { write_traces(); });
  const auto start = Clock::now();
  stage_.reset();
  guarded([this] { take_down(); });
  guarded([this] {
    if (scripts_) scripts_->end();
  });
  guarded([this] { network_.teardown(); });
  result_.teardown_ms = ms_since(start);
  return !interrupted_;
}

template <class Action>
void ScenarioRun::guarded(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    note(ScenarioError{error.what(), spec_.file, error.remedy(), error.kind()});
  } catch (const std::exception& error) {
    note(ScenarioError{error.what(), spec_.file, "", ErrorKind::internal});
  }
}

/// The first error is the one that explains the others.
void ScenarioRun::note(ScenarioError error) {
  if (result_.error) return;
  result_.error = std::move(error);
  for (CheckResult& check : result_.checks) {
    if (check.verdict == Verdict::skip) check.observed = "the scenario could not be run to its end";
  }
}

std::vector<Need> ScenarioRun::needs() const {
  std::vector<Need> needs;
  for (const auto& check : plan_.checks) {
    const auto wanted = check->needs();
    needs.insert(needs.end(), wanted.begin(), wanted.end());
  }
  return needs;
}

std::vector<FrameWatch> ScenarioRun::watches() const {
  std::vector<FrameWatch> watches;
  for (const auto& check : plan_.checks) {
    const auto wanted = check->watches();
    watches.insert(watches.end(), wanted.begin(), wanted.end());
  }
  return watches;
}

void ScenarioRun::arrange() {
  const auto start = Clock::now();
  network_.build(spec_.world);
  if (runs_programs(spec_) || !plan_.changes.empty()) {
    scripts_.emplace(network_, spec_.world, spec_.setup ? spec_.setup->name : std::string(),
                     stated_resolvers(spec_));
  }
  if (!set_up()) return;
  arranged_ = true;
  if (options_.arranged) options_.arranged(network_);
  network::Topology found = network::discover(network_, declared_);
  const double built = ms_since(start);
  StageOptions stage_options;
  stage_options.timeout = options_.timeout;
  stage_options.traced = traced_nodes(plan_.checks);
  stage_options.trace_rules = options_.trace_rules;
  stage_options.checks = std::min(options_.jobs, plan_.checks.size());
  stage_options.intended = spec_.intended();
  stage_.emplace(loop_.get_executor(), network_, std::move(found), needs(), stage_options);
  stage_->watch(watches());
  result_.build_ms = ms_since(start);
  spdlog::debug("{}: network built and read back in {:.1f} ms, servers and taps ready after {:.1f} ms",
                spec_.name, built, result_.build_ms);
}

/// False where there is nothing to check: the setup has said that it cannot do its work here, or a signal
/// came.
bool ScenarioRun::set_up() {
  std::optional<std::string> reason;
  const auto work = [&]() -> boost::asio::awaitable<void> {
    reason = co_await engine::set_up(spec_, network_, scripts_ ? &*scripts_ : nullptr, declared_);
  };
  run_to_end(work());
  if (!reason) return !interrupted_;
  for (CheckResult& check : result_.checks) check.observed = *reason;
  return false;
}

/// What a runtime leaves behind is told where it made anything, and nothing else went wrong.
void ScenarioRun::take_down() {
  if (!arranged_ || interrupted_ || !spec_.setup || !spec_.setup->runtime) return;
  run_to_end(spec_.setup->runtime->take_down(*scripts_));
}

/// Runs the event loop until `work` has ended, or a signal came. Throws what it threw.
void ScenarioRun::run_to_end(boost::asio::awaitable<void> work) {
  working_ = 1;
  boost::asio::co_spawn(loop_, std::move(work), [this](const std::exception_ptr& problem) {
    --working_;
    worker_ended(problem);
  });
  run_loop();
}

/// Until nobody works any more. Whoever ends stops the loop, also one that is looked at only in the next
/// turn: so what counts is the count.
void ScenarioRun::run_loop() {
  while (working_ > 0 && !problem_ && !interrupted_) {
    loop_.restart();
    loop_.run();
  }
  if (const std::exception_ptr problem = std::exchange(problem_, nullptr)) std::rethrow_exception(problem);
}

/// Phase by phase, with the changes between; what is judged last comes after all of them.
void ScenarioRun::run_checks() {
  const auto start = Clock::now();
  bool going = true;
  for (std::size_t phase = 0; going && phase <= plan_.changes.size(); ++phase) {
    run_phase(phase);
    if (interrupted_) break;
    if (phase < plan_.changes.size()) going = make_change(phase);
  }
  if (going && !interrupted_) {
    std::vector<std::size_t> last;
    for (std::size_t i = 0; i < plan_.checks.size(); ++i) {
      if (plan_.checks[i]->judged_last()) last.push_back(i);
    }
    run_group(std::move(last));
  }
  result_.checks_ms = ms_since(start);
  if (!interrupted_) return;
  for (CheckResult& check : result_.checks) {
    if (check.verdict == Verdict::skip) check.observed = "interrupted";
  }
}

void ScenarioRun::run_phase(std::size_t phase) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < plan_.checks.size(); ++i) {
    const Check& check = *plan_.checks[i];
    if (check.phase == phase && !check.judged_last()) indices.push_back(i);
  }
  run_group(std::move(indices));
}

/// Checks that do not come before or after one another are under way together.
void ScenarioRun::run_group(std::vector<std::size_t> indices) {
  group_ = std::move(indices);
  next_ = 0;
  working_ = std::min(std::max<std::size_t>(options_.jobs, 1), group_.size());
  if (working_ == 0) return;
  boost::asio::co_spawn(loop_, start_workers(working_),
                        [this](const std::exception_ptr& problem) { worker_ended(problem); });
  run_loop();
  if (!questions_.empty() && !interrupted_) run_to_end(explain());
  questions_.clear();
}

/// When no probe of the group is under way any more: to look through a network takes so long that the
/// servers, which live in the same loop, would answer too late. Probes that nothing explains are sent again,
/// one at a time: what the kernel counts meanwhile is about that one. A network that is broken throughout has
/// the same cause everywhere, so some are enough.
boost::asio::awaitable<void> ScenarioRun::explain() {
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

/// False where it failed: what comes after it would be judged on a network that nobody meant.
bool ScenarioRun::make_change(std::size_t number) {
  const Change& change = *plan_.changes[number];
  ChangeResult& told = result_.changes.emplace_back();
  told.about = change.about;
  told.where = change.where;
  told.before = first_after_[number];
  const auto start = Clock::now();
  try {
    ChangeSite site{network_, *scripts_, stage_->listeners(), declared_};
    run_to_end(change.make(site));
    if (interrupted_) return false;
    settle_after(change);
    if (!change.fault) {
      network::Topology intended = stage_->intended();
      change.foresee(intended);
      stage_->intend(std::move(intended));
    }
    stage_->update(network::discover(network_, declared_), needs());
    told.made = true;
  } catch (const Error& error) {
    const ErrorKind kind = error.kind() == ErrorKind::internal ? ErrorKind::setup : error.kind();
    note(
        ScenarioError{fmt::format("{}: {}", change.about, error.what()), change.where, error.remedy(), kind});
  }
  told.duration_ms = ms_since(start);
  return told.made;
}

/// What was broken on purpose need not come up.
void ScenarioRun::settle_after(const Change& change) {
  if (!change.fault) return scripts_->settle();
  try {
    scripts_->settle(std::chrono::milliseconds(500));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::environment) throw;
    spdlog::debug("{}: {}", change.about, error.what());
  }
}

/// One after the other, with a turn of the loop between: the taps are read meanwhile. Hundreds of probes
/// sent at one go would fill their rings first, and lost frames prove nothing.
boost::asio::awaitable<void> ScenarioRun::start_workers(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    boost::asio::co_spawn(loop_, work(), [this](const std::exception_ptr& problem) {
      --working_;
      worker_ended(problem);
    });
    co_await boost::asio::post(loop_, boost::asio::use_awaitable);
  }
}

void ScenarioRun::worker_ended(const std::exception_ptr& problem) {
  if (problem && !problem_) problem_ = problem;
  if (working_ == 0 || problem) loop_.stop();
}

/// Takes the next check of the group until none is left.
boost::asio::awaitable<void> ScenarioRun::work() {
  while (next_ < group_.size()) {
    const std::size_t index = group_[next_++];
    CheckResult& result = *results_[index];
    const auto start = Clock::now();
    try {
      Outcome outcome = co_await plan_.checks[index]->run(*stage_);
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
    }
    result.duration_ms = ms_since(start);
    if (!is_wanted(result)) continue;
    for (Reporter* reporter : reporters_) reporter->check_finished(result_, result);
  }
}

bool ScenarioRun::is_wanted(const CheckResult& check) const {
  return unwanted_.empty() || &check < unwanted_.data() || &check >= unwanted_.data() + unwanted_.size();
}

bool ScenarioRun::wants_trace(const CheckResult& check) const {
  if (!is_wanted(check) || options_.out_directory.empty() || options_.trace == TraceWhich::none) return false;
  return options_.trace == TraceWhich::all || check.verdict != Verdict::pass;
}

void ScenarioRun::write_traces() {
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
