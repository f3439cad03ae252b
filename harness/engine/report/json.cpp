#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <ostream>

#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;

json::value text(std::string_view value) {
  return json::value(valid_utf8(value));
}

json::value text_or_null(std::string_view value) {
  return value.empty() ? json::value(nullptr) : text(value);
}

/// Milliseconds to the microsecond: more digits would only be noise.
json::value milliseconds(double value) {
  return std::isfinite(value) ? std::round(value * 1000) / 1000 : 0.0;
}

json::object to_json(const JourneyStep& step) {
  return {{"t_us", step.t_us},
          {"node", text(step.node)},
          {"interface", text(step.interface)},
          {"direction", text(step.direction)},
          {"packet", text(step.packet)}};
}

json::object to_json(const KernelEvent& event) {
  json::object object{{"node", text(event.node)},
                      {"table", text(event.table)},
                      {"chain", text(event.chain)},
                      {"rule", text(event.rule)}};
  if (!event.verdict.empty()) object["verdict"] = text(event.verdict);
  if (!event.drop_reason.empty()) object["drop_reason"] = text(event.drop_reason);
  return object;
}

json::value to_json(const std::optional<Control>& control) {
  if (!control) return nullptr;
  return json::object{{"from", text(control->from)},
                      {"to", text(control->to)},
                      {"with", text(control->with)},
                      {"verdict", to_text(control->verdict)},
                      {"observed", text(control->observed)}};
}

json::value to_json(const std::optional<Cause>& cause) {
  if (!cause) return nullptr;
  json::array evidence;
  for (const std::string& line : cause->evidence) evidence.push_back(text(line));
  return json::object{{"code", text(cause->code)},
                      {"summary", text(cause->summary)},
                      {"evidence", std::move(evidence)},
                      {"fix", text(cause->fix)}};
}

json::object error_json(const std::string& message, const std::string& where) {
  return {{"message", text(message)}, {"where", text(where)}};
}

json::object to_json(const CheckResult& check) {
  json::array journey;
  for (const JourneyStep& step : check.journey) journey.push_back(to_json(step));
  json::array kernel;
  for (const KernelEvent& event : check.kernel) kernel.push_back(to_json(event));
  json::object object{{"id", text(check.id)},
                      {"type", text(check.type)},
                      {"from", text(check.from)},
                      {"to", text(check.to)},
                      {"with", text(check.with)},
                      {"verdict", to_text(check.verdict)},
                      {"expected", text(check.expected)},
                      {"observed", text(check.observed)},
                      {"duration_ms", milliseconds(check.duration_ms)},
                      {"journey", std::move(journey)},
                      {"kernel", std::move(kernel)},
                      {"control", to_json(check.control)},
                      {"cause", to_json(check.cause)},
                      {"trace", text_or_null(check.trace)}};
  if (check.verdict == Verdict::error) object["error"] = error_json(check.observed, check.where);
  return object;
}

json::object to_json(const ScenarioResult& scenario) {
  json::array checks;
  for (const CheckResult& check : scenario.checks) checks.push_back(to_json(check));
  json::object object{{"name", text(scenario.name)},
                      {"file", text(scenario.file)},
                      {"setup", text(scenario.setup)},
                      {"build_ms", milliseconds(scenario.build_ms)},
                      {"checks_ms", milliseconds(scenario.checks_ms)},
                      {"teardown_ms", milliseconds(scenario.teardown_ms)},
                      {"checks", std::move(checks)}};
  if (const auto& error = scenario.error) {
    const std::string remedy = error->remedy.empty() ? "" : "; remedy: " + error->remedy;
    object["error"] = error_json(error->message + remedy, error->where);
  }
  return object;
}

json::object to_json(const Summary& summary) {
  return {{"passed", summary.passed},
          {"failed", summary.failed},
          {"inconclusive", summary.inconclusive},
          {"skipped", summary.skipped},
          {"errors", summary.errors}};
}

class JsonReporter final : public Reporter {
 public:
  explicit JsonReporter(std::ostream& out) : out_(out) {}

  void run_finished(const RunResult& run) override {
    json::array scenarios;
    for (const ScenarioResult& scenario : run.scenarios) scenarios.push_back(to_json(scenario));
    const json::value report = json::object{{"schema", 1},
                                            {"plumbline", PLUMBLINE_VERSION},
                                            {"summary", to_json(run.summary())},
                                            {"duration_ms", milliseconds(run.duration_ms)},
                                            {"interrupted", run.interrupted},
                                            {"scenarios", std::move(scenarios)}};
    out_ << pretty(report) << std::flush;
  }

 private:
  std::ostream& out_;
};

}  // namespace

std::unique_ptr<Reporter> json_reporter(std::ostream& out) {
  return std::make_unique<JsonReporter>(out);
}

}  // namespace plumbline::engine
