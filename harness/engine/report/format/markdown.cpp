#include <fmt/format.h>

#include <ostream>

#include "harness/engine/check/summary.hpp"
#include "harness/engine/check/words.hpp"
#include "harness/engine/report/compared.hpp"
#include "harness/engine/report/explain.hpp"
#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/markup.hpp"
#include "harness/engine/report/shared_causes.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

/// Text among Markdown: whatever means something there, or in HTML, as a reference.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    constexpr std::string_view kSigns = "&<>\"'\\`*_[]()|#!~$@";
    if (kSigns.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("&#{};", static_cast<int>(c));
    }
  }
  return out;
}

std::string_view glyph(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "✅";
    case Verdict::fail:
      return "❌";
    case Verdict::inconclusive:
      return "❔";
    case Verdict::skip:
      return "⏭️";
    case Verdict::error:
      return "💥";
  }
  return "";
}

std::string folded(std::string_view summary, std::string_view text) {
  return fmt::format("<details><summary>{}</summary>\n\n<pre>\n{}\n</pre>\n\n</details>\n\n", summary,
                     markup_lines(text));
}

/// What a hosted service shows as a job's summary: totals, a line a scenario, and folded what did not pass.
class MarkdownReporter final : public Reporter {
 public:
  explicit MarkdownReporter(std::ostream& out) : out_(out) {}

  void run_finished(const RunResult& run) override {
    const Summary all = run.summary();
    out_ << "## plumbline: " << fmt::format("{} in {:.2f} s\n\n", to_text(all), run.duration_ms / 1000);
    if (run.interrupted) out_ << "**Interrupted**: this counts only what had ended by then.\n\n";
    several_hosts_ = run.has_several_hosts();
    out_ << "| scenario | setup | passed | failed | inconclusive | skipped | errors |\n"
            "|---|---|--:|--:|--:|--:|--:|\n";
    std::size_t left_out = 0;
    for (const ScenarioResult& scenario : run.scenarios) {
      const Summary one = summary_of(scenario);
      const bool good = one.failed + one.inconclusive + one.errors == 0;
      // What a signal cut short has not passed.
      const bool cut_short = good && one.skipped != 0 && run.was_interrupted(scenario);
      const Verdict verdict = cut_short ? Verdict::skip : good ? Verdict::pass : Verdict::fail;
      if (good && !cut_short && run.scenarios.size() > kMostGood) {
        ++left_out;
        continue;
      }
      write(fmt::format("| {} {} | {} | {} | {} | {} | {} | {} |\n", glyph(verdict), plain(scenario.name),
                        plain(setup_and_host(scenario)), one.passed, one.failed, one.inconclusive,
                        one.skipped, one.errors));
    }
    if (left_out != 0) write(fmt::format("\n{} scenarios in which nothing failed are left out.\n", left_out));
    write("\n");
    write_shared_causes(run);
    write_across_hosts(run);
    if (run.baseline) write_baseline(*run.baseline);
    for (const ScenarioResult& scenario : run.scenarios) write_problems(scenario);
    out_ << std::flush;
  }

 private:
  static constexpr std::size_t kMostGood = 300;  // rows: what is looked for is among the others

  std::string setup_and_host(const ScenarioResult& scenario) const {
    if (!several_hosts_ || scenario.host.empty()) return scenario.setup;
    return scenario.setup + (scenario.setup.empty() ? "" : ", ") + scenario.host;
  }

  void write_shared_causes(const RunResult& run) {
    const SharedCauses shared = shared_causes(run);
    if (shared.most.empty()) return;
    write("### Causes of several checks\n\n");
    for (const SharedCause& each : shared.most) {
      write(fmt::format("{}: {}\n\n", plain(headline(each)), plain(cause_text(each.cause))));
      if (const std::string fix = fix_text(each); !fix.empty())
        write(fmt::format("<pre>\n{}\n</pre>\n\n", markup_lines(fix)));
    }
    if (shared.others != 0) write(fmt::format("and {} more\n\n", shared.others));
  }

  void write_across_hosts(const RunResult& run) {
    const std::vector<HostDifference> differences = run.across_hosts();
    if (differences.empty()) return;
    write(fmt::format("### Hosts differ in {} of the checks\n\n", differences.size()));
    for (const AlikeDifferences& one : alike(differences)) {
      write(fmt::format("- {}: {}\n", plain(scenario_text(one.difference.scenario, one.difference.setup, "")),
                        plain(verdicts_text(one.difference))));
      for (const std::string& check : one.checks) write(fmt::format("  - {}\n", plain(check)));
    }
    write("\n");
  }

  void write_baseline(const Baseline& baseline) {
    write(fmt::format("### {}\n\n", plain(headline(baseline))));
    for (const AlikeChanges& one : alike(baseline)) {
      const std::string scenario =
          scenario_text(one.change.scenario, one.change.setup, several_hosts_ ? one.change.host : "");
      write(fmt::format("- {}: {}\n", plain(scenario), plain(verdicts_text(one.change))));
      for (const std::string& check : one.checks) write(fmt::format("  - {}\n", plain(check)));
      for (const std::string& gained : one.change.gained)
        write(fmt::format("    - gained: {}\n", plain(gained)));
      for (const std::string& lost : one.change.lost) write(fmt::format("    - lost: {}\n", plain(lost)));
    }
    if (const std::string text = gaps(baseline); !text.empty()) write("\n" + plain(text) + "\n");
    write("\n");
  }

  void write_problems(const ScenarioResult& scenario) {
    const std::string where = fmt::format("{} ({})", scenario.name, setup_and_host(scenario));
    if (scenario.error) {
      const std::string title = fmt::format("{} {}: could not be run", glyph(Verdict::error), markup(where));
      write(folded(title, explain(*scenario.error)));
    }
    for (const CheckResult& check : scenario.checks) {
      if (check.verdict == Verdict::pass || check.verdict == Verdict::skip) continue;
      const std::string title =
          fmt::format("{} {}: {}", glyph(check.verdict), markup(where), markup(check.id));
      write(folded(title, explain(check)));
    }
  }

  /// A summary may hold 1 MiB; what is beyond is thrown away as a whole by who shows it.
  void write(const std::string& text) {
    constexpr std::size_t kMost = 1'000'000;
    if (full_) return;
    full_ = written_ + text.size() > kMost;
    written_ += text.size();
    out_ << (full_ ? "\n\nThere is more than a summary may hold: see the other reports.\n" : text);
  }

  std::ostream& out_;
  std::size_t written_ = 0;
  bool full_ = false;
  bool several_hosts_ = false;
};

}  // namespace

Format markdown_format() {
  return {"markdown", "totals and what did not pass, as Markdown",
          [](std::ostream& out, const ConsoleOptions&) -> std::unique_ptr<Reporter> {
            return std::make_unique<MarkdownReporter>(out);
          }};
}

}  // namespace plumbline::engine
