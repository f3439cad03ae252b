#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/mutation/mutant.hpp"
#include "harness/engine/run/pool.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/engine/spec/spec.hpp"

namespace plumbline::engine::mutation {

/// What became of a mutant.
enum class Fate : std::uint8_t {
  noticed,     ///< a check that passed does so no longer, or a change between checks fails
  survived,    ///< all checks pass: the spec does not promise what the line does
  equivalent,  ///< so they do, and the spec says why nothing else can be
  refused,     ///< it could not be made: what the kernel or its tool says
  not_made,    ///< the line was not there as it was read
  broken,      ///< the scenario could not be run to its end, and no check had noticed by then
};
/// "noticed", "survived", "equivalent", "refused", "not made", "broken".
const char* to_text(Fate fate) noexcept;

struct MutantResult {
  Mutant mutant;
  Fate fate = Fate::broken;
  std::size_t noticing = 0;  ///< checks that noticed
  std::string says;          ///< the first of these; or the reason; or the error

  friend bool operator==(const MutantResult&, const MutantResult&) = default;
};

/// A declaration of the spec that no survived mutant is under.
struct Stale {
  std::string mutant, reason, where;

  friend bool operator==(const Stale&, const Stale&) = default;
};

/// One scenario with one setup.
struct MutationResult {
  std::string scenario, file, setup;
  std::optional<std::string> problem;  ///< why it was not mutated: its own checks do not pass, say
  bool skipped = false;                ///< its setup says that it misses something here
  std::size_t checks = 0;
  std::vector<MutantResult> mutants;
  double duration_ms = 0;

  std::size_t count(Fate fate) const;
};

struct MutationRun {
  std::vector<MutationResult> scenarios;
  std::vector<Stale> stale;
  bool interrupted = false;
  double duration_ms = 0;

  /// 0: no mutant survived that is not declared, and all could be tried; 1 otherwise, or where a declaration
  /// is stale; 130 interrupted.
  int exit_status() const;
};

struct MutationOptions {
  RunOptions run;  ///< of its members that choose checks none is used
  PoolOptions pool;
  std::string
      pattern;  ///< only mutants whose id holds it, letters' case aside; with a leading ! those without
  bool all_setups = true;  ///< `specs` are all of their files, so a declaration without a mutant is stale
  std::function<void(const std::string&)> progress;  ///< is told what is being done; may be empty
  std::function<void(const MutationResult&)> told;   ///< hears of each scenario when it is done; may be empty
};

/// Mutates each scenario in turn: it is run once as it is, its nodes are read, and then it is run once for
/// each mutant, each in a sandbox of its own. To be used while the process has one thread. Throws Error of
/// kind environment where this machine refuses sandboxes.
MutationRun mutate(const std::vector<spec::Spec>& specs, const MutationOptions& options);

/// `spec` with `mutant` made before its first check.
spec::Spec mutated(const spec::Spec& spec, const Mutant& mutant);
/// What a run of `mutated` comes to, declarations of the spec aside.
MutantResult judge(const Mutant& mutant, const ScenarioResult& run);
/// Survived mutants under a declaration of `spec` become equivalent. `used`: by declaration, whether any was.
void excuse(const spec::Spec& spec, MutationResult& result, std::vector<bool>& used);

}  // namespace plumbline::engine::mutation
