#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/engine/run/event_loop.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/selection.hpp"

/// Private to this folder.
namespace plumbline::engine {

/// The checks of a plan on a network that stands, however it came to be: arranged in disposable namespaces,
/// or a live host's own.
class CheckRun {
 public:
  /// `result` is told what comes of it. All that is given must outlive this.
  CheckRun(EventLoop& loop, const Selection& selection, const RunOptions& options,
           const std::vector<Reporter*>& reporters, ScenarioResult& result);

  /// Sets the stage: from now on `found`, as `network` was read back, is under observation. Throws Error.
  void open(const network::LiveNetwork& network, network::Topology found, StageOptions options);
  Stage* stage() noexcept { return stage_ ? &*stage_ : nullptr; }
  /// Of all checks.
  std::vector<Need> needs() const;

  /// Phase by phase, with the changes between, which `change` makes by number; false ends it. What is judged
  /// last comes after all of them. Throws what a worker threw.
  void run(const std::function<bool(std::size_t)>& change);
  /// By change: index into the result's checks, the first that comes after it.
  std::size_t first_after(std::size_t change) const { return first_after_[change]; }
  void write_traces();
  void close() { stage_.reset(); }

  /// Whatever goes wrong becomes the scenario's error; the verdicts until then stay. The first error is the
  /// one that explains the others.
  void note(ScenarioError error);
  template <class Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      note(ScenarioError{error.what(), result_.file, error.remedy(), error.kind()});
    } catch (const std::exception& error) {
      note(ScenarioError{error.what(), result_.file, "", ErrorKind::internal});
    }
  }
  /// For all checks that have not run.
  void skip(std::string_view reason);

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<FrameWatch> watches() const;
  void run_phase(std::size_t phase);
  void run_group(std::vector<std::size_t> indices);
  boost::asio::awaitable<void> explain();
  boost::asio::awaitable<void> work();
  bool lacks_trace(const Check& check) const;
  bool is_wanted(const CheckResult& check) const;
  bool wants_trace(const CheckResult& check) const;

  EventLoop& loop_;
  const Plan& plan_;
  const RunOptions& options_;
  const std::vector<Reporter*>& reporters_;
  ScenarioResult& result_;
  std::vector<CheckResult> unwanted_;     ///< of checks that run only for their traffic
  std::vector<CheckResult*> results_;     ///< by check, in result_ or unwanted_
  std::vector<std::size_t> first_after_;  ///< by change
  std::vector<std::optional<Outcome>> outcomes_;
  std::optional<Stage> stage_;
  struct Question {
    std::size_t check;  ///< index
    proof::Case question;
  };
  std::vector<Question> questions_;  ///< of the group
  std::vector<std::size_t> group_;   ///< checks under way, by index
  std::size_t next_ = 0;             ///< into group_
};

}  // namespace plumbline::engine
