#include "harness/engine/report/plain_list.hpp"

#include <fmt/format.h>

#include <array>
#include <ostream>
#include <string>

#include "harness/engine/check/summary.hpp"
#include "harness/engine/report/compared.hpp"
#include "harness/engine/report/markup.hpp"

namespace plumbline::engine {
namespace {

constexpr std::size_t kMost = 2000;  // lines of each list

constexpr std::array kGravestFirst{Verdict::fail, Verdict::error, Verdict::inconclusive, Verdict::skip};

/// One list, which says how many lines it leaves out.
class List {
 public:
  List(std::ostream& out, std::string_view title) : out_(out) { out_ << "<h2>" << title << "</h2>\n<ul>\n"; }
  bool is_full() const { return lines_ >= kMost; }
  void leave_out() { ++left_out_; }
  /// `rest` is text, not markup.
  void add(std::string_view verdict, std::string_view rest) {
    ++lines_;
    out_ << "<li><b class=\"" << verdict << "\">" << verdict << "</b> " << markup(rest) << "</li>\n";
  }
  void end() {
    out_ << "</ul>\n";
    if (left_out_ > 0) out_ << fmt::format("<p>and {} more, which are not listed here</p>\n", left_out_);
  }

 private:
  std::ostream& out_;
  std::size_t lines_ = 0;
  std::size_t left_out_ = 0;
};

Verdict worst_of(const ScenarioResult& scenario) {
  if (scenario.error) return Verdict::error;
  Verdict worst = Verdict::skip;
  for (const CheckResult& check : scenario.checks) worst = graver(worst, check.verdict);
  return worst;
}

std::string title_of(const ScenarioResult& scenario, bool several_hosts) {
  std::string title = scenario_text(scenario.name, scenario.setup, several_hosts ? scenario.host : "");
  if (scenario.repetition != 0) title += fmt::format(", repetition {}", scenario.repetition);
  return title;
}

void write_scenarios(std::ostream& out, const RunResult& run, bool several_hosts) {
  List list(out, "Scenarios");
  for (const ScenarioResult& scenario : run.scenarios) {
    if (list.is_full()) {
      list.leave_out();
    } else {
      list.add(to_text(worst_of(scenario)),
               fmt::format("{}: {}", title_of(scenario, several_hosts), to_text(summary_of(scenario))));
    }
  }
  list.end();
}

void add_scenario(List& list, const ScenarioResult& scenario, Verdict verdict, bool several_hosts) {
  if (verdict == Verdict::error && scenario.error) {
    if (list.is_full()) {
      list.leave_out();
    } else {
      list.add(to_text(verdict),
               fmt::format("{}: {}", title_of(scenario, several_hosts), scenario.error->message));
    }
  }
  for (const CheckResult& check : scenario.checks) {
    if (check.verdict != verdict) continue;
    if (list.is_full()) {
      list.leave_out();
    } else {
      list.add(to_text(verdict),
               fmt::format("{}: {} — {}", check.id, check.observed, title_of(scenario, several_hosts)));
    }
  }
}

void write_not_passed(std::ostream& out, const RunResult& run, bool several_hosts) {
  List list(out, "Not passed");
  for (const Verdict verdict : kGravestFirst) {
    for (const ScenarioResult& scenario : run.scenarios) add_scenario(list, scenario, verdict, several_hosts);
  }
  list.end();
}

}  // namespace

void write_plain_list(std::ostream& out, const RunResult& run) {
  const Summary all = run.summary();
  const bool several_hosts = run.has_several_hosts();
  out << "<p><b>" << to_text(all) << "</b></p>\n";
  if (run.interrupted) out << "<p>Interrupted: this counts only what had ended by then.</p>\n";
  if (const std::size_t differing = run.differing().size(); differing > 0)
    out << fmt::format("<p>Not the same in all repetitions: {} of the checks</p>\n", differing);
  if (run.baseline) {
    out << "<p>" << markup(headline(*run.baseline)) << "</p>\n";
    if (const std::string text = gaps(*run.baseline); !text.empty()) out << "<p>" << markup(text) << "</p>\n";
  }
  write_scenarios(out, run, several_hosts);
  if (all.failed + all.errors + all.inconclusive + all.skipped > 0) write_not_passed(out, run, several_hosts);
}

}  // namespace plumbline::engine
