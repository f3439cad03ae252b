#pragma once

#include <memory>
#include <string_view>
#include <variant>

#include "harness/engine/report/reporter.hpp"

/// How a scenario's sandbox tells of it: a line of JSON for each check as it ends, and one for the whole.
namespace plumbline::engine {

/// The small news: journey and all else come with the whole.
struct CheckEnded {
  std::size_t index = 0;  ///< in the scenario's checks
  Verdict verdict = Verdict::error;
  std::string observed;
  double duration_ms = 0;
};

struct ScenarioEnded {
  ScenarioResult result;
  bool interrupted = false;
};

using Event = std::variant<CheckEnded, ScenarioEnded>;

/// Inside: writes to `fd`. When nobody reads it any more, that is for whoever no longer does to mend.
std::unique_ptr<Reporter> stream_reporter(int fd);

/// Outside: what a line says. Throws Error where it says nothing that a reporter would have written.
Event read_event(std::string_view line);

}  // namespace plumbline::engine
