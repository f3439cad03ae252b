#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/check/stage.hpp"
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

  template <class Action>
  void guarded(const Action& action);
  void note(ScenarioError error);
  void arrange();
  bool set_up();
  void take_down();
  void run_to_end(boost::asio::awaitable<void> work);
  void run_loop();
  std::vector<Need> needs() const;
  std::vector<FrameWatch> watches() const;

  void run_checks();
  void run_phase(std::size_t phase);
  void run_group(std::vector<std::size_t> indices);
  boost::asio::awaitable<void> explain();
  bool make_change(std::size_t number);
  void settle_after(const Change& change);

  boost::asio::awaitable<void> start_workers(std::size_t count);
  void worker_ended(const std::exception_ptr& problem);
  boost::asio::awaitable<void> work();
  bool is_wanted(const CheckResult& check) const;
  bool wants_trace(const CheckResult& check) const;
  void write_traces();

  const spec::Spec& spec_;
  network::Topology declared_;  ///< as the spec has it, and as changes have left it
  const Plan& plan_;
  const RunOptions& options_;
  const std::vector<Reporter*>& reporters_;
  ScenarioResult& result_;
  std::vector<CheckResult> unwanted_;     ///< of checks that run only for their traffic
  std::vector<CheckResult*> results_;     ///< by check, in result_ or unwanted_
  std::vector<std::size_t> first_after_;  ///< by change: index into result_.checks
  std::vector<std::optional<Outcome>> outcomes_;
  network::LiveNetwork network_;
  std::optional<network::ScriptHost> scripts_;
  boost::asio::io_context loop_{1};
  std::optional<Stage> stage_;
  struct Question {
    std::size_t check;  ///< index
    proof::Case question;
  };
  std::vector<Question> questions_;  ///< of the group
  std::vector<std::size_t> group_;   ///< checks under way, by index
  std::size_t next_ = 0;             ///< into group_
  std::size_t working_ = 0;
  std::exception_ptr problem_;
  bool arranged_ = false;  ///< the setup has made what it makes
  bool interrupted_ = false;
};

}  // namespace plumbline::engine
