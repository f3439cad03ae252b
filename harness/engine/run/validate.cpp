#include "harness/engine/run/validate.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/run/check_run.hpp"
#include "harness/engine/run/event_loop.hpp"
#include "harness/engine/run/live_host.hpp"
#include "harness/engine/run/selection.hpp"
#include "harness/kernel/drops/drops.hpp"

namespace plumbline::engine {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The checks are about the host as it is.
Selection plan(spec::Spec& spec, const LiveHost& host, const RunOptions& options) {
  spec.world = host.found;
  spec.addition = {};
  spec.setup.reset();
  Selection selection = select_checks(spec, options);
  if (selection.count() != 0) return selection;
  throw Error(fmt::format("-k '{}' selects none of {} checks", options.pattern, promises(spec, {}).size()),
              ErrorKind::usage);
}

/// Tells the others how far it is.
class Counting final : public Reporter {
 public:
  explicit Counting(const std::vector<Reporter*>& others) : others_(others) {}

  void scenario_started(const ScenarioResult& scenario, std::size_t checks) override {
    progress_.total = checks;
    progress_.running = {scenario.name};
    tell();
  }
  void check_finished(const ScenarioResult& /*scenario*/, const CheckResult& check) override {
    ++progress_.done;
    if (check.verdict != Verdict::pass && check.verdict != Verdict::skip) ++progress_.not_passed;
    tell();
  }

  void tell() {
    for (Reporter* other : others_) other->progressed(progress_);
  }

 private:
  const std::vector<Reporter*>& others_;
  Progress progress_;
};

std::vector<std::string> names_of(const network::Topology& topology) {
  std::vector<std::string> names;
  for (const network::Node& node : topology.nodes) names.push_back(node.name);
  return names;
}

StageOptions stage_options(const LiveHost& host, const LiveOptions& live) {
  StageOptions options;
  options.live = true;
  options.probes_per_second = live.probes_per_second;
  options.docker_socket = live.sockets.docker;
  options.intended = host.found;
  return options;
}

}  // namespace

void require_unchanging(const spec::Spec& spec) {
  for (const spec::CheckItem& item : spec.checks) {
    if (!item.change) continue;
    throw spec::SpecError(item.mark,
                          fmt::format("'{}' would change this host, and validate changes nothing: "
                                      "leave it out, or have the scenario built by `plumbline run`",
                                      item.kind));
  }
}

RunResult validate(spec::Spec spec, const RunOptions& options, const LiveOptions& live,
                   const std::vector<Reporter*>& asked) {
  require_unchanging(spec);
  Counting counting(asked);
  std::vector<Reporter*> reporters = asked;
  reporters.push_back(&counting);
  const auto start = Clock::now();
  RunResult run;
  run.started = now_in_utc();
  EventLoop loop;
  std::optional<LiveHost> host;
  const auto find = [&]() -> boost::asio::awaitable<void> {
    host.emplace(co_await find_live_host(spec, live.sockets));
  };
  loop.run(find());
  if (host) {
    ScenarioResult& scenario = run.scenarios.emplace_back(describe(spec));
    scenario.setup = "live";
    const Selection selection = plan(spec, *host, options);
    if (options.trace_rules && live.before_tracing) live.before_tracing(names_of(host->found));
    for (Reporter* reporter : reporters) reporter->scenario_started(scenario, selection.count());
    loop.each_second([&counting] { counting.tell(); });
    CheckRun checks(loop, selection, options, reporters, scenario);
    checks.guarded([&] {
      kernel::drops::prepare();
      checks.open(host->network, host->found, stage_options(*host, live));
      scenario.build_ms = ms_since(start);
      spdlog::debug("{}: nodes found and read back, taps ready after {:.1f} ms", spec.name,
                    scenario.build_ms);
      checks.run([](std::size_t) { return false; });  // there are no changes
    });
    loop.pass_over_signals();
    checks.guarded([&] { checks.write_traces(); });
    const auto end = Clock::now();
    checks.close();
    scenario.teardown_ms = ms_since(end);
    for (Reporter* reporter : reporters) reporter->scenario_finished(scenario);
  }
  run.interrupted = loop.interrupted();
  run.duration_ms = ms_since(start);
  for (Reporter* reporter : reporters) reporter->run_finished(run);
  return run;
}

}  // namespace plumbline::engine
