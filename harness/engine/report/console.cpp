#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "harness/engine/report/console_detail.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/reporter.hpp"
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

  void scenario_started(const ScenarioResult& scenario, std::size_t checks) override {
    expected_ = checks;
    ended_ = 0;
    not_passed_ = 0;
    show_progress(scenario, true);
  }

  void check_finished(const ScenarioResult& scenario, const CheckResult& check) override {
    ++ended_;
    if (check.verdict != Verdict::pass && check.verdict != Verdict::skip) ++not_passed_;
    show_progress(scenario, false);
  }

  void scenario_finished(const ScenarioResult& scenario) override {
    erase_progress();
    std::vector<const CheckResult*> shown;
    std::size_t not_run = 0;  // for one reason, which is the scenario's
    for (const CheckResult& check : scenario.checks) {
      if (scenario.error && check.verdict == Verdict::skip) {
        ++not_run;
      } else if (options_.verbosity != Verbosity::quiet || needs_detail(check)) {
        shown.push_back(&check);
      }
    }
    if (options_.verbosity == Verbosity::quiet && shown.empty() && !scenario.error) return;
    write_header(scenario);
    write_checks(scenario, shown);
    if (scenario.error) write_error(*scenario.error, not_run);
    if (options_.verbosity == Verbosity::verbose) write_timing(scenario);
    out_ << '\n' << std::flush;
  }

  void run_finished(const RunResult& run) override {
    erase_progress();
    if (run.interrupted) {
      out_ << painted(options_, Colour::yellow,
                      "interrupted: what follows counts only what had ended by then")
           << '\n';
    }
    if (run.repetitions > 1) out_ << repetitions(options_, run);
    if (options_.verbosity == Verbosity::verbose) write_denials(run);
    out_ << totals(run) << '\n' << std::flush;
  }

 private:
  bool needs_detail(const CheckResult& check) const {
    return check.verdict != Verdict::pass || options_.verbosity == Verbosity::verbose;
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

  static std::string setup_and_repetition(const ScenarioResult& scenario) {
    std::string text = scenario.setup.empty() ? "" : fmt::format("setup {}", scenario.setup);
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
        write_change(*change, mark_width);
      write_line(*check, mark_width, id_width);
      if (needs_detail(*check)) out_ << detail(options_, *check);
    }
    for (; change != scenario.changes.end(); ++change) write_change(*change, mark_width);
  }

  /// "  then  delete-link host:veth1": what was changed before the checks that follow.
  void write_change(const ChangeResult& change, std::size_t mark_width) {
    if (options_.verbosity == Verbosity::quiet) return;
    const std::string about = printable(change.about) + (change.made ? "" : ": failed");
    out_ << "  " << padded("then", mark_width) << "  "
         << painted(options_, change.made ? Colour::dim : colour_of(Verdict::error), about) << '\n';
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
    if (not_run == 0) return;
    const std::string_view skipped = mark(options_, Verdict::skip);
    out_ << "  " << painted(options_, colour_of(Verdict::skip), skipped)
         << std::string(std::max(columns(failed), columns(skipped)) - columns(skipped) + 2, ' ')
         << counted(not_run, "check") << " not run\n";
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
                       run.duration_ms / 1000, counted(run.scenarios.size(), "scenario"));
  }

  void show_progress(const ScenarioResult& scenario, bool now) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kBetween =
        std::chrono::milliseconds(40);  // a terminal shows no more, and drawing costs time
    if (!options_.progress || (!now && Clock::now() - drawn_ < kBetween)) return;
    drawn_ = Clock::now();
    std::string line = fmt::format("{}/{}", ended_, expected_);
    if (not_passed_ > 0) line += fmt::format(", {} not passed", not_passed_);
    line += "  " + printable(scenario.name);
    out_ << "\r\x1b[K" << wrap(line, std::max<std::size_t>(options_.width, 2) - 1).front() << std::flush;
    progress_shown_ = true;
  }

  void erase_progress() {
    if (progress_shown_) out_ << "\r\x1b[K";
    progress_shown_ = false;
  }

  std::ostream& out_;
  const ConsoleOptions options_;
  std::size_t expected_ = 0;
  std::size_t ended_ = 0;
  std::size_t not_passed_ = 0;
  bool progress_shown_ = false;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace

std::unique_ptr<Reporter> console_reporter(std::ostream& out, const ConsoleOptions& options) {
  return std::make_unique<ConsoleReporter>(out, options);
}

}  // namespace plumbline::engine
