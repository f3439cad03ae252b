#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/change.hpp"
#include "harness/engine/check/promise.hpp"
#include "harness/engine/check/result.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/engine/spec/spec.hpp"
#include "harness/proof/diagnosis/case.hpp"

namespace plumbline::engine {

/// What a check came to: the verdict with the evidence that it rests on.
struct Outcome {
  Judgement judgement;
  proof::Journey journey;    ///< of the probe that decided
  proof::KernelPath kernel;  ///< of the same
  std::optional<Control> control;
  std::optional<proof::Journey> control_journey;
  /// What is to be explained; absent where the promise was kept, or where no probe was sent.
  std::optional<proof::Case> question;
};

/// Puts into `result` what reports show of `outcome`.
void tell(const Outcome& outcome, CheckResult& result);

/// One promise, ready to be checked.
class Check {
 public:
  Check() = default;
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;
  virtual ~Check() = default;

  /// What is known beforehand: id, type, from, to, with, where, expected.
  CheckResult promise;
  std::size_t phase = 0;  ///< how many changes come before it

  /// Listeners that must exist at the far end for a verdict to be provable.
  virtual std::vector<Need> needs() const { return {}; }
  /// Interfaces to be watched from before the first probe of the scenario on.
  virtual std::vector<FrameWatch> watches() const { return {}; }
  /// Judged after all other checks of the scenario, whose traffic it is about: they run even where only this
  /// one is wanted.
  virtual bool judged_last() const { return false; }
  /// Nodes whose kernels must report what they do with the probes.
  virtual std::vector<std::string> traced() const { return {}; }
  /// Sends its probes on `stage` and judges what came of them. An Error thrown is the check's verdict
  /// `error`.
  virtual boost::asio::awaitable<Outcome> run(Stage& stage) const = 0;
};

/// A kind of check: one file in checks/, found by the build.
struct CheckKind {
  std::string_view name;
  std::string_view about;   ///< one sentence
  std::string_view schema;  ///< JSON Schema of its arguments
  /// Reads the arguments; every combination of from, to and with is one check. Throws spec::SpecError.
  std::vector<std::unique_ptr<Check>> (*parse)(const spec::CheckItem& item,
                                               const network::Topology& intended) = nullptr;
};

/// The checks and changes of a spec, in its order.
struct Plan {
  std::vector<std::unique_ptr<Check>> checks;
  std::vector<std::unique_ptr<Change>> changes;  ///< the i-th is made after the checks of phase i
};

/// The kinds that may occur in a spec.
struct Kinds {
  const std::vector<CheckKind>& checks;
  const std::vector<ChangeKind>& changes;
};

/// Throws spec::SpecError for arguments that a kind refuses and for a promise that stands twice between the
/// same changes. One that is made again after a change has an id that says so.
Plan make_plan(const spec::Spec& spec, const Kinds& kinds);

}  // namespace plumbline::engine
