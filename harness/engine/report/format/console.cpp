#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "harness/engine/report/console_compared.hpp"
#include "harness/engine/report/console_detail.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/matrix_text.hpp"
#include "harness/engine/report/progress_line.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

using namespace console;

constexpr std::size_t kMarginColumns = 2;
constexpr std::size_t kDurationColumns = 9;

/// Check lines are written when their scenario has ended, in the spec's order: checks end in any order, and
/// two reports of the same run should be the same. Until then a terminal shows how far it is.
class ConsoleReporter final : public Reporter {
 public:
  ConsoleReporter(std::ostream& out, const ConsoleOptions& options) : out_(out), options_(options) {}

  void progressed(const Progress& progress) override { progress_.draw(progress); }

  void scenario_finished(const ScenarioResult& scenario) override {
    progress_.erase();
    std::vector<const CheckResult*> shown;
    std::size_t not_run = 0;  // for one reason, which is the scenario's
    const std::map<std::string, std::size_t> alike = skipped_alike(scenario);
    for (const CheckResult& check : scenario.checks) {
      if (scenario.error && check.verdict == Verdict::skip) {
        ++not_run;
      } else if (check.verdict == Verdict::skip && alike.contains(check.observed)) {
        continue;
      } else if (options_.verbosity != Verbosity::quiet || needs_detail(check)) {
        shown.push_back(&check);
      }
    }
    if (options_.verbosity == Verbosity::quiet && shown.empty() && alike.empty() && !scenario.error) return;
    write_header(scenario);
    if (options_.verbosity != Verbosity::quiet && !scenario.matrix.empty())
      out_ << matrix_text(options_, scenario.matrix) << '\n';
    write_checks(scenario, shown);
    if (scenario.error) write_error(*scenario.error, not_run);
    for (const auto& [reason, count] : alike) {
      write_not_run(count);
      out_ << reason_of_skip(options_, reason);
    }
    if (options_.verbosity == Verbosity::verbose) write_timing(scenario);
    out_ << '\n' << std::flush;
  }

  void run_finished(const RunResult& run) override {
    progress_.erase();
    if (run.interrupted) {
      out_ << painted(options_, Colour::yellow,
                      "interrupted: what follows counts only what had ended by then")
           << '\n';
    }
    if (run.repetitions > 1) out_ << repetitions(options_, run);
    const auto has_matrix = [](const ScenarioResult& scenario) { return !scenario.matrix.empty(); };
    if (options_.verbosity != Verbosity::quiet && std::ranges::any_of(run.scenarios, has_matrix))
      out_ << signs_legend();
    out_ << across_hosts(options_, run) << baseline(options_, run);
    out_ << shared_causes(options_, run);
    if (options_.verbosity == Verbosity::verbose) write_denials(run);
    out_ << totals(run) << '\n' << std::flush;
  }

 private:
  bool needs_detail(const CheckResult& check) const {
    return check.verdict != Verdict::pass || options_.verbosity == Verbosity::verbose;
  }

  /// Whoever wants little told is told a reason once that kept several checks from being run: how many.
  std::map<std::string, std::size_t> skipped_alike(const ScenarioResult& scenario) const {
    std::map<std::string, std::size_t> counts;
    if (options_.verbosity != Verbosity::quiet || scenario.error) return counts;
    for (const CheckResult& check : scenario.checks) {
      if (check.verdict == Verdict::skip) ++counts[check.observed];
    }
    std::erase_if(counts, [](const auto& each) { return each.second < 2; });
    return counts;
  }

  void write_header(const ScenarioResult& scenario) {
    out_ << painted(options_, Colour::bold, printable(scenario.name));
    if (!scenario.file.empty()) out_ << "  " << printable(scenario.file);
    if (const std::string which = setup_and_repetition(scenario); !which.empty()) {
      out_ << "  " << printable(fmt::format("({})", which));
    }
    out_ << '\n';
    if (options_.verbosity != Verbosity::quiet && !scenario.about.empty()) {
      const std::size_t room = std::max<std::size_t>(options_.width, 24) - kMarginColumns;
      for (const std::string& line : wrap(printable(scenario.about), room)) {
        out_ << "  " << painted(options_, Colour::dim, line) << '\n';
      }
    }
  }

  std::string setup_and_repetition(const ScenarioResult& scenario) const {
    std::string text = scenario.setup.empty() ? "" : fmt::format("setup {}", scenario.setup);
    if (options_.several_hosts && !scenario.host.empty())
      text += fmt::format("{}host {}", text.empty() ? "" : ", ", scenario.host);
    if (scenario.repetition != 0) {
      text += fmt::format("{}repetition {}", text.empty() ? "" : ", ", scenario.repetition);
    }
    return text;
  }

  void write_checks(const ScenarioResult& scenario, const std::vector<const CheckResult*>& checks) {
    std::size_t mark_width = 0;
    std::size_t id_width = 0;
    for (const CheckResult* check : checks) {
      mark_width = std::max(mark_width, columns(mark(options_, check->verdict)));
      id_width = std::max(id_width, columns(printable(check->id)));
    }
    const std::size_t taken = kMarginColumns + mark_width + 2 + 2 + kDurationColumns;
    id_width = std::min(id_width, std::max(options_.width, taken + 20) - taken);
    auto change = scenario.changes.begin();
    for (const CheckResult* check : checks) {
      const auto index = static_cast<std::size_t>(check - scenario.checks.data());
      for (; change != scenario.changes.end() && change->before <= index; ++change)
        write_change(scenario, *change, mark_width);
      write_line(*check, mark_width, id_width);
      if (needs_detail(*check)) out_ << detail(options_, *check);
    }
    for (; change != scenario.changes.end(); ++change) write_change(scenario, *change, mark_width);
  }

  /// "  then  delete-link host:veth1": what was changed before the checks that follow.
  /// Without an error a change that was not made has found that something is missing here, or a signal came:
  /// the checks after it say which.
  void write_change(const ScenarioResult& scenario, const ChangeResult& change, std::size_t mark_width) {
    if (options_.verbosity == Verbosity::quiet) return;
    const bool failed = !change.made && scenario.error;
    const std::string about = printable(change.about) + (change.made ? ""
                                                         : failed    ? ": failed"
                                                                     : ": skipped");
    const Colour colour = change.made ? Colour::dim : colour_of(failed ? Verdict::error : Verdict::skip);
    out_ << "  " << padded("then", mark_width) << "  " << painted(options_, colour, about) << '\n';
  }

  /// "  FAIL  deny container-one -> 10.1.2.3 ping     1.20 ms"; a long id goes on below itself.
  void write_line(const CheckResult& check, std::size_t mark_width, std::size_t id_width) {
    const std::vector<std::string> id = wrap(printable(check.id), id_width);
    for (std::size_t i = 0; i < id.size(); ++i) {
      const std::string_view first = i == 0 ? mark(options_, check.verdict) : std::string_view{};
      out_ << "  " << painted(options_, colour_of(check.verdict), first)
           << std::string(mark_width - columns(first) + 2, ' ');
      if (i + 1 < id.size()) {
        out_ << id[i] << '\n';
        continue;
      }
      const std::string took = right_aligned(duration(options_, check.duration_ms), kDurationColumns);
      out_ << padded(id[i], id_width) << "  " << painted(options_, Colour::dim, took) << '\n';
    }
  }

  void write_error(const ScenarioError& error, std::size_t not_run) {
    const std::string_view failed = mark(options_, Verdict::error);
    out_ << "  " << painted(options_, colour_of(Verdict::error), failed)
         << "  this scenario could not be run\n"
         << detail(options_, error);
    if (not_run != 0) write_not_run(not_run);
  }

  void write_not_run(std::size_t count) {
    const std::string_view skipped = mark(options_, Verdict::skip);
    const std::size_t width = std::max(columns(mark(options_, Verdict::error)), columns(skipped));
    out_ << "  " << painted(options_, colour_of(Verdict::skip), skipped)
         << std::string(width - columns(skipped) + 2, ' ') << counted(count, "check") << " not run\n";
  }

  void write_timing(const ScenarioResult& scenario) {
    const std::string text =
        fmt::format("built in {}, checked in {}, torn down in {}", duration(options_, scenario.build_ms),
                    duration(options_, scenario.checks_ms), duration(options_, scenario.teardown_ms));
    out_ << "  " << painted(options_, Colour::dim, text) << '\n';
  }

  /// "66 denials: half of them within 7.12 ms, 95 % within 13.5 ms, all within 15.0 ms".
  void write_denials(const RunResult& run) {
    std::vector<double> took;
    for (const ScenarioResult& scenario : run.scenarios) {
      for (const CheckResult& check : scenario.checks) {
        if (check.type == "deny" && check.verdict == Verdict::pass) took.push_back(check.duration_ms);
      }
    }
    if (took.empty()) return;
    std::ranges::sort(took);
    const auto within = [&](std::size_t percent) {
      return duration(options_, took[(took.size() - 1) * percent / 100]);
    };
    out_ << fmt::format("{}: half of them within {}, 95 % within {}, all within {}\n",
                        counted(took.size(), "denial"), within(50), within(95), within(100));
  }

  std::string totals(const RunResult& run) const {
    const Summary summary = run.summary();
    std::size_t checks = 0;
    for (const ScenarioResult& scenario : run.scenarios) checks += scenario.checks.size();
    const auto part = [this](std::size_t count, std::string_view text, Verdict verdict) {
      return painted(options_, count > 0 ? colour_of(verdict) : Colour::none, text);
    };
    const auto named = [&part](std::size_t count, std::string_view name, Verdict verdict) {
      return part(count, fmt::format("{} {}", count, name), verdict);
    };
    return fmt::format("{}: {}, {}, {}, {}, {} in {:.2f} s ({})", counted(checks, "check"),
                       named(summary.passed, "passed", Verdict::pass),
                       named(summary.failed, "failed", Verdict::fail),
                       named(summary.inconclusive, "inconclusive", Verdict::inconclusive),
                       named(summary.skipped, "skipped", Verdict::skip),
                       part(summary.errors, counted(summary.errors, "error"), Verdict::error),
                       run.duration_ms / 1000, counted(run.scenarios.size(), "scenario")) +
           (options_.left_out == 0 ? ""
                                   : fmt::format("; {} left out by -k", counted(options_.left_out, "check")));
  }

  std::ostream& out_;
  const ConsoleOptions options_;
  ProgressLine progress_{out_, options_};
};

}  // namespace

Format console_format() {
  Format format{"console", "for people: a line a check, and in full what did not pass",
                [](std::ostream& out, const ConsoleOptions& options) -> std::unique_ptr<Reporter> {
                  return std::make_unique<ConsoleReporter>(out, options);
                }};
  format.grows = true;
  return format;
}

}  // namespace plumbline::engine
