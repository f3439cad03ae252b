#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <utility>
#include <vector>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

/// A label's value; any UTF-8 may stand in one.
std::string value_of(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string series(std::string_view name, const Labels& labels, double value) {
  std::string text;
  for (const auto& [label, of] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", label, value_of(of));
  return text.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, text, value);
}

std::string head(std::string_view name, std::string_view help) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

Labels labels_of(const ScenarioResult& scenario, bool several_hosts) {
  Labels labels{{"file", scenario.file}, {"scenario", scenario.name}, {"setup", scenario.setup}};
  if (several_hosts) labels.emplace_back("host", scenario.host);
  if (scenario.repetition != 0) labels.emplace_back("repetition", std::to_string(scenario.repetition));
  return labels;
}

Labels labels_of(const ScenarioResult& scenario, bool several_hosts, const CheckResult& check) {
  Labels labels = labels_of(scenario, several_hosts);
  labels.emplace_back("check", check.id);
  labels.emplace_back("type", check.type);
  return labels;
}

/// One metric's series. Parts of one scenario, run by several jobs, have the same labels, which may stand
/// only once: `of_both` says what counts.
class Metric {
 public:
  using OfBoth = double (*)(double, double);
  explicit Metric(std::string_view name, OfBoth of_both) : name_(name), of_both_(of_both) {}

  void add(const Labels& labels, double value) {
    const auto [at, first] = known_.try_emplace(labels, values_.size());
    if (first) {
      values_.emplace_back(labels, value);
    } else {
      values_[at->second].second = of_both_(values_[at->second].second, value);
    }
  }
  std::string text(std::string_view help) const {
    std::string text = head(name_, help);
    for (const auto& [labels, value] : values_) text += series(name_, labels, value);
    return text;
  }

 private:
  std::string_view name_;
  OfBoth of_both_;
  std::vector<std::pair<Labels, double>> values_;
  std::map<Labels, std::size_t> known_;
};

double higher(double a, double b) {
  return std::max(a, b);
}

double lower_of(double a, double b) {
  return std::min(a, b);
}

/// Prometheus' text format, for the textfile collector of its node exporter.
class PrometheusReporter final : public Reporter {
 public:
  explicit PrometheusReporter(std::ostream& out) : out_(out) {}

  void run_finished(const RunResult& run) override {
    const Summary all = run.summary();
    const std::vector<std::pair<Verdict, std::size_t>> counts{{Verdict::pass, all.passed},
                                                              {Verdict::fail, all.failed},
                                                              {Verdict::inconclusive, all.inconclusive},
                                                              {Verdict::skip, all.skipped},
                                                              {Verdict::error, all.errors}};
    out_ << head("plumbline_checks", "Checks of the last run by their verdict.");
    for (const auto& [verdict, count] : counts)
      out_ << series("plumbline_checks", {{"verdict", to_text(verdict)}}, static_cast<double>(count));
    out_ << head("plumbline_run_exit_status",
                 "Exit status of the last run: 0 all passed, 1 a check failed, 4 inconclusive.")
         << series("plumbline_run_exit_status", {}, run.exit_status())
         << head("plumbline_run_interrupted", "1 where the last run was interrupted.")
         << series("plumbline_run_interrupted", {}, run.interrupted ? 1 : 0)
         << head("plumbline_run_duration_seconds", "How long the last run took.")
         << series("plumbline_run_duration_seconds", {}, run.duration_ms / 1000);
    write_scenarios(run);
    write_checks(run);
    out_ << std::flush;
  }

 private:
  void write_scenarios(const RunResult& run) {
    const bool several_hosts = run.has_several_hosts();
    Metric error("plumbline_scenario_error", higher);
    for (const ScenarioResult& scenario : run.scenarios)
      error.add(labels_of(scenario, several_hosts), scenario.error ? 1 : 0);
    out_ << error.text("1 where the scenario could not be run to its end.");
  }

  void write_checks(const RunResult& run) {
    const bool several_hosts = run.has_several_hosts();
    Metric passed("plumbline_check_passed", lower_of);
    Metric verdict("plumbline_check_verdict", higher);
    Metric duration("plumbline_check_duration_seconds", higher);
    for (const ScenarioResult& scenario : run.scenarios) {
      for (const CheckResult& check : scenario.checks) {
        Labels labels = labels_of(scenario, several_hosts, check);
        if (check.verdict != Verdict::skip) passed.add(labels, check.verdict == Verdict::pass ? 1 : 0);
        duration.add(labels, check.duration_ms / 1000);
        labels.emplace_back("verdict", to_text(check.verdict));
        labels.emplace_back("cause", check.causes.empty() ? "" : check.causes.front().code);
        verdict.add(labels, 1);
      }
    }
    out_ << passed.text(
                "1 where the promise is kept, 0 where it is not, or not proven; of checks that were not "
                "skipped.")
         << verdict.text("1, by verdict and cause (the first, where one was recognised).")
         << duration.text("How long the check took.");
  }

  std::ostream& out_;
};

}  // namespace

Format prometheus_format() {
  return {"prometheus", "metrics for the textfile collector of Prometheus' node exporter",
          [](std::ostream& out, const ConsoleOptions&) -> std::unique_ptr<Reporter> {
            return std::make_unique<PrometheusReporter>(out);
          }};
}

}  // namespace plumbline::engine
