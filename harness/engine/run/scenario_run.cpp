#include "harness/engine/run/scenario_run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "harness/engine/check/arrange.hpp"
#include "harness/network/discovery/discover.hpp"

namespace plumbline::engine {
namespace {

double ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

ScenarioRun::ScenarioRun(const spec::Spec& spec, const Selection& selection, const RunOptions& options,
                         const std::vector<Reporter*>& reporters, ScenarioResult& result)
    : spec_(spec),
      declared_(spec.intended()),
      plan_(selection.plan),
      options_(options),
      result_(result),
      checks_(loop_, selection, options, reporters, result) {}

bool ScenarioRun::run() {
  checks_.guarded([this] {
    arrange();
    if (checks_.stage() != nullptr) checks_.run([this](std::size_t number) { return make_change(number); });
  });
  loop_.pass_over_signals();
  checks_.guarded([this] { checks_.write_traces(); });
  const auto start = Clock::now();
  checks_.close();
  checks_.guarded([this] { take_down(); });
  checks_.guarded([this] {
    if (scripts_) scripts_->end();
  });
  checks_.guarded([this] { network_.teardown(); });
  result_.teardown_ms = ms_since(start);
  return !loop_.interrupted();
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
  stage_options.intended = spec_.intended();
  checks_.open(network_, std::move(found), std::move(stage_options));
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
  loop_.run(work());
  if (!reason) return !loop_.interrupted();
  checks_.skip(*reason);
  return false;
}

/// What a runtime leaves behind is told where it made anything, and nothing else went wrong.
void ScenarioRun::take_down() {
  if (!arranged_ || loop_.interrupted() || !spec_.setup || !spec_.setup->runtime) return;
  loop_.run(spec_.setup->runtime->take_down(*scripts_));
}

/// False where it failed: what comes after it would be judged on a network that nobody meant.
bool ScenarioRun::make_change(std::size_t number) {
  const Change& change = *plan_.changes[number];
  ChangeResult& told = result_.changes.emplace_back();
  told.about = change.about;
  told.where = change.where;
  told.before = checks_.first_after(number);
  Stage& stage = *checks_.stage();
  const auto start = Clock::now();
  try {
    ChangeSite site{network_, *scripts_, stage.listeners(), declared_};
    loop_.run(change.make(site));
    if (loop_.interrupted()) return false;
    loop_.run(follow(spec_, *scripts_, declared_));
    if (loop_.interrupted()) return false;
    settle_after(change);
    if (!change.fault) {
      network::Topology intended = stage.intended();
      change.foresee(intended);
      stage.intend(std::move(intended));
    }
    stage.update(network::discover(network_, declared_), checks_.needs());
    told.made = true;
  } catch (const ChangeSkipped& reason) {
    for (std::size_t i = told.before; i < result_.checks.size(); ++i) {
      if (result_.checks[i].verdict == Verdict::skip) result_.checks[i].observed = reason.what();
    }
  } catch (const Error& error) {
    const ErrorKind kind = error.kind() == ErrorKind::internal ? ErrorKind::setup : error.kind();
    checks_.note(
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

}  // namespace plumbline::engine
