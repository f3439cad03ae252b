#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/check/taps.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/witness/drop_trace.hpp"
#include "harness/proof/witness/kernel_path.hpp"
#include "harness/proof/witness/kernel_trace.hpp"
#include "harness/traffic/probe/recall.hpp"

namespace plumbline::engine {

/// When a probe ends that nobody answers.
enum class Until : std::uint8_t {
  time_out,
  dropped,  ///< before that, once a kernel has told that it dropped the probe without a word to its sender
};

struct KernelReportOptions {
  bool rules = true;                ///< as StageOptions::trace_rules
  bool drops = true;                ///< as StageOptions::drops
  bool live = false;                ///< as StageOptions::live
  std::vector<std::string> traced;  ///< nodes whose kernels report the rules in any case
  std::size_t buffer_bytes = 0;     ///< of each of their sockets; 0: as large as a burst needs
};

/// What the kernels of a stage's nodes report of its probes, while these are under way and afterwards.
class KernelReports {
 public:
  /// The executor's context and `taps` must outlive this.
  KernelReports(boost::asio::any_io_executor executor, const network::LiveNetwork& network, Taps& taps,
                KernelReportOptions options)
      : executor_(std::move(executor)), network_(network), taps_(taps), options_(std::move(options)) {}
  KernelReports(const KernelReports&) = delete;
  KernelReports& operator=(const KernelReports&) = delete;
  ~KernelReports() = default;

  /// Asks the kernels of `topology`'s nodes, those that are there. No probe may be under way.
  void open(const network::Topology& topology);

  /// How much had been lost when a probe was sent.
  struct Mark {
    proof::KernelTrace::Mark rules;
    std::uint64_t drops = 0;
  };
  Mark mark() const;
  /// What was reported of a probe that has ended. `before`: the mark when it was sent.
  proof::KernelPath path(std::optional<proof::WatchId> watch, const std::string& from, const Mark& before);

 private:
  using Recalls = std::map<proof::WatchId, std::shared_ptr<traffic::Recall>>;

 public:
  /// A probe under way that may end before its time-out.
  class Impatience {
   public:
    Impatience(KernelReports& reports, Until until);
    Impatience(const Impatience&) = delete;
    Impatience& operator=(const Impatience&) = delete;
    ~Impatience();

    /// For the probe; null: it does not end early.
    const std::shared_ptr<traffic::Recall>& recall() const noexcept { return recall_; }
    /// From now on reports about this one end it.
    void await(proof::WatchId watch);
    bool was_early() const { return recall_ && recall_->made(); }

   private:
    std::shared_ptr<Recalls> recalls_;  ///< shared: an interrupted probe's coroutine goes after the stage
    std::shared_ptr<traffic::Recall> recall_;
    std::optional<proof::WatchId> watch_;
  };

 private:
  void recall_dropped();
  void recall_lost();
  void look_for_others();

  boost::asio::any_io_executor executor_;
  const network::LiveNetwork& network_;
  Taps& taps_;
  KernelReportOptions options_;
  std::optional<proof::KernelTrace> trace_;
  std::optional<proof::DropTrace> drops_;
  bool looking_ = false;
  std::shared_ptr<const bool> here_ = std::make_shared<const bool>(true);
  std::shared_ptr<Recalls> recalls_ = std::make_shared<Recalls>();  ///< of probes that are under way
};

}  // namespace plumbline::engine
