#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/run/in_order.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/kernel/netns/signals.hpp"

namespace plumbline::engine {

struct PoolOptions {
  std::size_t parallel = default_parallel();  ///< scenarios under way at once
  std::size_t repetitions = 1;                ///< how often all of them are run

  static std::size_t default_parallel();
};

/// Runs scenarios side by side, each in a sandbox of its own. To be used while the process has one thread.
class Pool {
 public:
  /// Starts the first sandbox and waits until it stands. Throws Error of kind environment, with the remedy,
  /// where this machine refuses it, and spec::SpecError for arguments that a check kind refuses. `specs` must
  /// outlive it.
  Pool(const std::vector<spec::Spec>& specs, const RunOptions& options, const PoolOptions& pool_options);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();  ///< ends what still runs

  /// To be called once. Reporters hear of one scenario after the other, in the order of the specs, whatever
  /// the order in which they end. SIGINT, SIGTERM and SIGHUP end all scenarios early, with `interrupted` set;
  /// a second signal does so without their results. A scenario whose sandbox dies carries that as its error,
  /// and the rest goes on.
  RunResult run(const std::vector<Reporter*>& reporters);

 private:
  struct Job;
  struct Worker;

  void plan(const std::vector<spec::Spec>& specs);
  void start(std::size_t number);
  void tell_start(std::size_t number);
  int work(const Job& job, int results) const;
  void start_what_may_run();
  void wait();
  void take_signals();
  void read_results(Worker& worker);
  void take_line(Worker& worker, std::string_view line);
  void bury(Worker& worker);
  void conclude(Worker& worker);
  void give_up(Worker& worker, const Error& error);
  void fail(std::size_t number, const Error& error);
  std::size_t under_way() const;
  void tell_progress();

  const RunOptions options_;
  const PoolOptions pool_options_;
  kernel::HeldSignals signals_;
  std::vector<ScenarioResult> planned_;  ///< by spec, as none of their checks has run
  std::vector<Job> jobs_;                ///< in the order of the report
  std::deque<std::size_t> queue_;        ///< in the order in which they are to start
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<InOrder> story_;
  std::vector<Reporter*> reporters_;
  Progress progress_;
  std::size_t limit_;
  bool interrupted_ = false;
};

}  // namespace plumbline::engine
