#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "harness/engine/run/check_run.hpp"
#include "harness/engine/run/event_loop.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/selection.hpp"
#include "harness/network/setup/script_host.hpp"
#include "harness/network/topology/live_network.hpp"

/// Private to this folder.
namespace plumbline::engine {

/// One scenario, from building its network to taking it down.
class ScenarioRun {
 public:
  ScenarioRun(const spec::Spec& spec, const Selection& selection, const RunOptions& options,
              const std::vector<Reporter*>& reporters, ScenarioResult& result);

  /// False when a signal ended it. Whatever goes wrong becomes the scenario's error; the verdicts until then
  /// stay.
  bool run();

 private:
  using Clock = std::chrono::steady_clock;

  void arrange();
  bool set_up();
  void take_down();
  bool make_change(std::size_t number);
  void settle_after(const Change& change);

  const spec::Spec& spec_;
  network::Topology declared_;  ///< as the spec has it, and as changes have left it
  const Plan& plan_;
  const RunOptions& options_;
  ScenarioResult& result_;
  network::LiveNetwork network_;
  std::optional<network::ScriptHost> scripts_;
  EventLoop loop_;
  CheckRun checks_;
  bool arranged_ = false;  ///< the setup has made what it makes
};

}  // namespace plumbline::engine
