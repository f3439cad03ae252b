#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "harness/engine/check/result.hpp"

/// Results as JSON (schema 1) and back: what a report holds is also how a result comes out of a sandbox.
namespace plumbline::engine {

/// Bytes that are no UTF-8 become U+FFFD, milliseconds are rounded to the microsecond; all else comes back as
/// it was.
boost::json::value to_json(const ScenarioResult& scenario);
boost::json::value to_json(const RunResult& run);
/// Parts of a report, by themselves.
boost::json::value to_json(const Cause& cause);
boost::json::array across_hosts_to_json(const RunResult& run);
boost::json::value to_json(const Baseline& baseline);
boost::json::value to_json(const Matrix& matrix);

/// Throws Error of kind usage: the place ("checks[3].journey[0].t_us"), what was expected there and what was
/// found. A key that is not known is an error too, so that nothing is lost without a word.
ScenarioResult read_scenario(const boost::json::value& value);
Verdict read_verdict(const boost::json::value& value);

/// A report as `--report json` writes it. Throws Error of kind usage; where the text is no JSON, it names
/// line and column.
RunResult read_report(std::string_view text);

/// "usage", "setup", "environment", "internal".
const char* to_text(ErrorKind kind) noexcept;

}  // namespace plumbline::engine
