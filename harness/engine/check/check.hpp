#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/promise.hpp"
#include "harness/engine/check/result.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/engine/spec/spec.hpp"

namespace plumbline::engine {

/// What a check came to: the verdict with the evidence that it rests on.
struct Outcome {
  Judgement judgement;
  proof::Journey journey;  ///< of the probe that decided
  std::optional<Control> control;
  std::optional<proof::Journey> control_journey;
};

/// One promise, ready to be checked.
class Check {
 public:
  Check() = default;
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;
  virtual ~Check() = default;

  /// What is known beforehand: id, type, from, to, with, where, expected.
  CheckResult promise;

  /// Listeners that must exist at the far end for a verdict to be provable.
  virtual std::vector<Need> needs() const { return {}; }
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

/// The checks of a spec, in its order. `kinds` are those that may occur. Throws spec::SpecError for arguments
/// that a kind refuses and for a promise that stands twice.
std::vector<std::unique_ptr<Check>> parse_checks(const spec::Spec& spec, const std::vector<CheckKind>& kinds);

}  // namespace plumbline::engine
