#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/testing/scenario.hpp"
#include "harness/engine/run/testing/typing.hpp"

/// For tests: the scenario diy broken in one way, and the checks that must tell in which.
namespace plumbline::engine::testing {

struct Break {
  const char* name;
  const char* cause;
  const char* change;               ///< items of `checks:`
  std::vector<const char*> checks;  ///< each fails for this cause
  std::vector<const char*> also;    ///< other causes that are true too
  const char* edit_from = "";
  const char* edit_to = "";
  bool mended = true;  ///< by the fixes alone, as they are
};

inline void PrintTo(const Break& broken, std::ostream* out) {
  *out << broken.name;
}

inline std::string told(const CheckResult& check) {
  std::string text = fmt::format("{}: {}", check.id, check.observed);
  for (const Cause& cause : check.causes) {
    text += fmt::format("\n  {} {}: {}", cause.proven ? "proven" : "likely", cause.code, cause.summary);
    for (const std::string& line : cause.evidence) text += "\n      " + line;
    text += "\n    fix: " + cause.fix;
  }
  for (const JourneyStep& step : check.journey) {
    text += fmt::format("\n    {} {}:{} {} {}", step.t_us, step.node, step.interface, step.direction,
                        step.packet);
  }
  return text;
}

/// The fixes of all that failed, each once, as a step of a scenario.
inline std::string mending(const std::map<std::string, CheckResult>& results) {
  std::vector<std::string> lines;
  for (const auto& [id, check] : results) {
    if (check.causes.empty()) continue;
    for (const std::string& line : lines_of(check.causes.front().fix)) {
      if (std::ranges::count(lines, line) == 0) lines.push_back(line);
    }
  }
  return run_step(lines);
}

inline std::map<std::string, CheckResult> run_broken(const Break& broken, const std::string& mending = {}) {
  Scenario scenario;
  if (*broken.edit_from != '\0') scenario.edit(broken.edit_from, broken.edit_to);
  std::string items = broken.change;
  if (!items.empty()) items += '\n';
  items += mending;
  for (const char* check : broken.checks) items += fmt::format("  - {}\n", check);
  scenario.checks(items);
  return scenario.run({.timeout = std::chrono::milliseconds(300)});
}

/// Each check fails for the cause, and passes once the fixes are typed.
inline void expect_to_be_named(const Break& broken) {
  const auto results = run_broken(broken);
  EXPECT_GE(results.size(), broken.checks.size());
  for (const auto& [id, check] : results) {
    SCOPED_TRACE(told(check));
    EXPECT_NE(check.verdict, Verdict::pass);
    ASSERT_FALSE(check.causes.empty());
    EXPECT_EQ(check.causes.front().code, broken.cause);
    for (const Cause& cause : check.causes) {
      const bool known = cause.code == broken.cause || std::ranges::count(broken.also, cause.code) != 0;
      EXPECT_TRUE(known) << "a wrong cause: " << cause.code;
      EXPECT_FALSE(cause.fix.empty());
      EXPECT_FALSE(cause.evidence.empty());
    }
  }
  if (!broken.mended) return;
  const std::string mends = mending(results);
  SCOPED_TRACE(mends);
  for (const auto& [id, check] : run_broken(broken, mends))
    EXPECT_EQ(check.verdict, Verdict::pass) << told(check);
}

}  // namespace plumbline::engine::testing
