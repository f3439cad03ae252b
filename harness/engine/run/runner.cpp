#include "harness/engine/run/runner.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <csignal>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "checks/kinds.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/run/trace.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::engine {
namespace {

using Clock = std::chrono::steady_clock;
using Checks = std::vector<std::unique_ptr<Check>>;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool selected(std::string_view pattern, const std::string& name) {
  const bool exclude = pattern.starts_with('!');
  if (exclude) pattern.remove_prefix(1);
  if (pattern.empty()) return true;
  const bool found = lower(name).find(lower(pattern)) != std::string::npos;
  return found != exclude;
}

Checks plan(const spec::Spec& spec, const RunOptions& options) {
  Checks checks = parse_checks(spec, checks::check_kinds());
  std::erase_if(checks, [&](const auto& check) {
    const std::string& id = check->promise.id;
    if (options.ids && !options.ids->contains(id)) return true;
    return !selected(options.pattern, fmt::format("{}/{}", spec.name, id));
  });
  return checks;
}

/// Signals that came before there was a handler have waited for it.
void unblock(std::initializer_list<int> signals) {
  sigset_t set{};
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

/// One scenario, from building its network to taking it down.
class ScenarioRun {
 public:
  ScenarioRun(const spec::Spec& spec, const Checks& checks, const RunOptions& options,
              const std::vector<Reporter*>& reporters, ScenarioResult& result)
      : spec_(spec), checks_(checks), options_(options), reporters_(reporters), result_(result) {
    result_.checks.reserve(checks.size());
    for (const auto& check : checks) {
      result_.checks.push_back(check->promise);
      result_.checks.back().verdict = Verdict::skip;
      result_.checks.back().observed = "not run";
    }
    outcomes_.resize(checks.size());
  }

  /// False when a signal ended it. Whatever goes wrong becomes the scenario's error; the verdicts until then
  /// stay.
  bool run() {
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
      check();
    });
    signals.cancel();
    guarded([this] { write_traces(); });
    const auto start = Clock::now();
    stage_.reset();
    guarded([this] { network_.teardown(); });
    result_.teardown_ms = ms_since(start);
    return !interrupted_;
  }

 private:
  template <class Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      note(ScenarioError{error.what(), spec_.file, error.remedy(), error.kind()});
    } catch (const std::exception& error) {
      note(ScenarioError{error.what(), spec_.file, "", ErrorKind::internal});
    }
  }

  /// The first error is the one that explains the others.
  void note(ScenarioError error) {
    if (result_.error) return;
    result_.error = std::move(error);
    for (CheckResult& check : result_.checks) {
      if (check.verdict == Verdict::skip) check.observed = "the scenario could not be run to its end";
    }
  }

  void arrange() {
    const auto start = Clock::now();
    network_.build(spec_.world);
    network_.build(spec_.addition);
    network::Topology found = network::discover(network_, spec_.intended());
    const double built = ms_since(start);
    StageOptions stage_options;
    stage_options.timeout = options_.timeout;
    std::vector<Need> needs;
    for (const auto& check : checks_) {
      const auto wanted = check->needs();
      needs.insert(needs.end(), wanted.begin(), wanted.end());
    }
    stage_.emplace(loop_.get_executor(), network_, std::move(found), needs, stage_options);
    result_.build_ms = ms_since(start);
    spdlog::debug("{}: network built and read back in {:.1f} ms, servers and taps ready after {:.1f} ms",
                  spec_.name, built, result_.build_ms);
  }

  void check() {
    const auto start = Clock::now();
    working_ = std::min(std::max<std::size_t>(options_.jobs, 1), checks_.size());
    if (working_ != 0) {
      boost::asio::co_spawn(loop_, start_workers(working_),
                            [this](const std::exception_ptr& problem) { ended(problem); });
      loop_.run();
    }
    result_.checks_ms = ms_since(start);
    if (problem_) std::rethrow_exception(problem_);
    if (!interrupted_) return;
    for (CheckResult& check : result_.checks) {
      if (check.verdict == Verdict::skip) check.observed = "interrupted";
    }
  }

  /// One after the other, with a turn of the loop between: the taps are read meanwhile. Hundreds of probes
  /// sent at one go would fill their rings first, and lost frames prove nothing.
  boost::asio::awaitable<void> start_workers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      boost::asio::co_spawn(loop_, work(), [this](const std::exception_ptr& problem) {
        --working_;
        ended(problem);
      });
      co_await boost::asio::post(loop_, boost::asio::use_awaitable);
    }
  }

  void ended(const std::exception_ptr& problem) {
    if (problem && !problem_) problem_ = problem;
    if (working_ == 0 || problem) loop_.stop();
  }

  /// Takes the next check until none is left.
  boost::asio::awaitable<void> work() {
    while (next_ < checks_.size()) {
      const std::size_t index = next_++;
      CheckResult& result = result_.checks[index];
      const auto start = Clock::now();
      try {
        Outcome outcome = co_await checks_[index]->run(*stage_);
        tell(outcome, result);
        if (wants_trace(result)) outcomes_[index] = std::move(outcome);
      } catch (const Error& error) {
        result.verdict = Verdict::error;
        result.observed = error.what();
      }
      result.duration_ms = ms_since(start);
      for (Reporter* reporter : reporters_) reporter->check_finished(result_, result);
    }
  }

  bool wants_trace(const CheckResult& check) const {
    if (options_.out_directory.empty() || options_.trace == TraceWhich::none) return false;
    return options_.trace == TraceWhich::all || check.verdict != Verdict::pass;
  }

  void write_traces() {
    if (!stage_) return;
    const std::vector<std::string> watched = watched_places(stage_->topology());
    const std::string folder = trace_folder(result_);
    std::set<std::string> taken;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      if (!outcomes_[i]) continue;
      CheckResult& check = result_.checks[i];
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

  const spec::Spec& spec_;
  const Checks& checks_;
  const RunOptions& options_;
  const std::vector<Reporter*>& reporters_;
  ScenarioResult& result_;
  std::vector<std::optional<Outcome>> outcomes_;
  network::LiveNetwork network_;
  boost::asio::io_context loop_{1};
  std::optional<Stage> stage_;
  std::size_t next_ = 0;
  std::size_t working_ = 0;
  std::exception_ptr problem_;
  bool interrupted_ = false;
};

}  // namespace

std::vector<std::string_view> check_kind_names() {
  std::vector<std::string_view> names;
  for (const CheckKind& kind : checks::check_kinds()) names.push_back(kind.name);
  return names;
}

std::vector<std::pair<std::string, std::string>> list_checks(const std::vector<spec::Spec>& specs,
                                                             const RunOptions& options) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const spec::Spec& spec : specs) {
    for (const auto& check : plan(spec, options)) names.emplace_back(spec.name, check->promise.id);
  }
  return names;
}

std::vector<CheckResult> promises(const spec::Spec& spec, const RunOptions& options) {
  std::vector<CheckResult> promises;
  for (const auto& check : plan(spec, options)) promises.push_back(check->promise);
  return promises;
}

std::string setup_name(const spec::Spec& spec) {
  return spec.setup ? spec.setup->name : "";
}

ScenarioResult describe(const spec::Spec& spec) {
  ScenarioResult scenario;
  scenario.name = spec.name;
  scenario.file = spec.file;
  scenario.setup = setup_name(spec);
  scenario.about = spec.about;
  return scenario;
}

RunResult run(const std::vector<spec::Spec>& specs, const RunOptions& options,
              const std::vector<Reporter*>& reporters) {
  const auto start = Clock::now();
  std::vector<Checks> plans;
  for (const spec::Spec& spec : specs) plans.push_back(plan(spec, options));
  RunResult run;
  for (std::size_t i = 0; i < specs.size() && !run.interrupted; ++i) {
    if (plans[i].empty()) continue;
    ScenarioResult& scenario = run.scenarios.emplace_back(describe(specs[i]));
    scenario.repetition = options.repetition;
    for (Reporter* reporter : reporters) reporter->scenario_started(scenario, plans[i].size());
    run.interrupted = !ScenarioRun(specs[i], plans[i], options, reporters, scenario).run();
    for (Reporter* reporter : reporters) reporter->scenario_finished(scenario);
  }
  run.duration_ms = ms_since(start);
  for (Reporter* reporter : reporters) reporter->run_finished(run);
  return run;
}

}  // namespace plumbline::engine
