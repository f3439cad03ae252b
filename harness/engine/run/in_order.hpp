#pragma once

#include <vector>

#include "harness/engine/run/stream.hpp"

namespace plumbline::engine {

/// Tells reporters of scenarios that run side by side as if they had run one after the other, in the order of
/// their numbers, which count from 0. What comes too early is kept until it is its scenario's turn.
class InOrder {
 public:
  InOrder(std::size_t scenarios, std::vector<Reporter*> reporters)
      : reporters_(std::move(reporters)), entries_(scenarios) {}

  /// `planned` has all its checks, as none of them has run.
  void started(std::size_t number, ScenarioResult planned);
  /// Throws Error where it cannot be: there is no such check, or the scenario has ended.
  void ended(std::size_t number, const CheckEnded& check);
  void ended(std::size_t number, ScenarioResult result);
  /// It ended without a result: what is known of it is all there is. Its other checks are skipped for
  /// `reason`.
  void broke_off(std::size_t number, std::string_view reason, std::optional<ScenarioError> error);

  /// All that were started, in order. Those that waited for one that never was are told of now.
  std::vector<ScenarioResult> take();

 private:
  struct Entry {
    ScenarioResult result;
    std::size_t planned = 0;          ///< checks
    std::vector<std::size_t> checks;  ///< that have ended, in that order
    std::size_t told = 0;             ///< how many of these reporters know
    bool started = false, announced = false, finished = false;
  };

  void finish(Entry& entry);
  /// Tells what can be told.
  void advance();
  void tell(Entry& entry);

  std::vector<Reporter*> reporters_;
  std::vector<Entry> entries_;
  std::size_t turn_ = 0;
};

}  // namespace plumbline::engine
