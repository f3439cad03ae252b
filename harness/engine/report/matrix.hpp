#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/engine/check/result.hpp"

/// Who reaches whom, from what checks have shown.
namespace plumbline::engine {

/// The type of what `plumbline matrix` tries beside what is promised: denied is no failure of it.
inline constexpr const char* kAttempt = "attempt";

/// The attempts of one scenario that prove nothing and still have their causes looked for; more than that say
/// so in these words at the end of what was observed.
inline constexpr std::size_t kMostExplained = 5'000;
inline constexpr std::string_view kNotExplained =
    "; why was not looked for: more than 5,000 probes got lost in silence";

/// The services for which `check` tells whether `from` reaches `to`: "tcp/80", and of a name that is resolved
/// "udp/53". None: that is not what it is about.
std::vector<std::string> services_of(const CheckResult& check);

/// The one address that an `isolated` is about (`at`); absent: every address that the node holds.
std::optional<IpAddress> only_address(const CheckResult& check);

/// What one check shows of one service over one family.
struct Shown {
  std::string from, to, with, family;  ///< `to`: a node, where the address is the one that `from` names it by
  /// `.`, `X`, `?` or `!`; a space of a promise that is about this, and does not tell what came of it.
  char sign = ' ';
  std::string reason;  ///< who stopped it, or what is not known or not as promised; of `.` none
  const CheckResult* check = nullptr;
};
/// In the order of the scenario's checks, of those on the network as it was built: what comes after a change
/// is of another network. Checks that did not run are left out. An `isolated` is about several services and
/// families at once: kept, it is `X` for each that it probed; else only the probe that decided is known, by
/// its control, and the others are spaces.
std::vector<Shown> shown_by(const ScenarioResult& scenario);

/// A denial that was promised, and a probe of the same pair, service and family that got through.
struct Contradiction {
  std::size_t denial = 0;  ///< index into the scenario's checks
  std::string text;
};
std::vector<Contradiction> contradictions(const ScenarioResult& scenario);

/// One matrix for each service and family that there is something to tell of: ping, tcp and udp by their
/// ports, IPv4 first. Where several promises are about one cell, a broken one is shown, else one that is not
/// proven; an attempt counts only where no promise tells, or where it got through what was to be denied: that
/// is `!`, so that nothing that was seen to get through is ever shown as denied.
std::vector<Matrix> matrices(const ScenarioResult& scenario);

}  // namespace plumbline::engine
