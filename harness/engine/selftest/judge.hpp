#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/engine/selftest/fault.hpp"

/// Was a fault noticed as it should be? Pure: results in, judgement out.
namespace plumbline::engine::selftest {

enum class Outcome : std::uint8_t {
  caught,  ///< by all checks that should, each with the right cause, and by no other; or rightly not at all
  missed,  ///< a check that should notice passed, or could not say
  wrong_cause,  ///< it was noticed, but the first cause that a check named is not the right one
  false_alarm,  ///< a check noticed that should not
  broken,       ///< it could not be tried
  skipped,      ///< its setup said that it misses something
};
inline constexpr std::array kOutcomes{Outcome::caught,      Outcome::missed, Outcome::wrong_cause,
                                      Outcome::false_alarm, Outcome::broken, Outcome::skipped};
/// "caught", "missed", "wrong cause", "false alarm", "broken", "skipped".
const char* to_text(Outcome outcome) noexcept;

/// One check that did not do what it should.
struct Finding {
  Outcome outcome = Outcome::missed;
  std::string expected;  ///< "fail, cause link-down"
  std::string observed;  ///< "pass", "fail, cause no-carrier"
  CheckResult check;
};

struct FaultResult {
  std::string id, about, kind, setup, file;
  Outcome outcome = Outcome::broken;
  std::size_t noticed = 0;       ///< how many checks did
  std::set<std::string> causes;  ///< that they named first
  std::vector<Finding> findings;
  std::string problem, remedy;  ///< why it is broken or skipped
  double duration_ms = 0;
};

struct Selftest {
  std::vector<FaultResult> faults;
  double duration_ms = 0;
  bool interrupted = false;

  std::size_t count(Outcome outcome) const;
  /// 0 all are as they should be, 1 some are not, 4 none is wrong but some were skipped, 130 interrupted.
  int exit_status() const;
};

FaultResult judge(const Fault& fault, const ScenarioResult& result);

}  // namespace plumbline::engine::selftest
