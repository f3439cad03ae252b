#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/check/result.hpp"

/// What reports say of hosts that differ and of an earlier run: what befell many checks alike is told once.
namespace plumbline::engine {

/// Checks of a scenario that changed in the same way.
struct AlikeChanges {
  BaselineChange change;            ///< the first's
  std::vector<std::string> checks;  ///< all of them, by id
};
/// In the order of the first of each.
std::vector<AlikeChanges> alike(const Baseline& baseline);

/// Checks of a scenario to which hosts came with the same verdicts.
struct AlikeDifferences {
  HostDifference difference;
  std::vector<std::string> checks;
};
std::vector<AlikeDifferences> alike(const std::vector<HostDifference>& differences);

/// "pass on web2, fail on web1".
std::string verdicts_text(const HostDifference& difference);
/// "was pass, is fail", "pass as before, on another way", "new: pass", "gone: was pass".
std::string verdicts_text(const BaselineChange& change);
/// "two-uplinks (native, web1)": the host where there are several.
std::string scenario_text(const std::string& scenario, const std::string& setup, const std::string& host);
/// "compared with old.json of 2026-02-27T12:00:00Z: of 9 checks 1 changed; 1 is new, 1 is gone".
std::string headline(const Baseline& baseline);
/// What the comparison may have missed; empty: nothing.
std::string gaps(const Baseline& baseline);

}  // namespace plumbline::engine
