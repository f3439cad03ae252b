#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/engine/report/console_detail.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/matrix.hpp"
#include "harness/engine/report/matrix_lines.hpp"
#include "harness/engine/report/matrix_text.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

using namespace console;

/// Cells by their sign.
struct Counts {
  std::size_t allowed = 0, denied = 0, unproven = 0, broken = 0;
  std::size_t unexplained = 0;  ///< of those that are not proven: why was not looked for

  /// An `isolated` that was not kept, without a control to tell of which service: no cell may show it.
  void add(const CheckResult& check) {
    if (check.type != "isolated" || check.control) return;
    if (check.verdict == Verdict::fail) ++broken;
    if (check.verdict == Verdict::inconclusive) ++unproven;
  }

  void add(const Matrix& matrix) {
    for (const MatrixReason& reason : matrix.reasons) {
      if (reason.text.ends_with(kNotExplained)) unexplained += reason.cells.size();
    }
    for (const std::string& row : matrix.cells) {
      const auto count = [&row](char sign) {
        return static_cast<std::size_t>(std::ranges::count(row, sign));
      };
      allowed += count('.');
      denied += count('X');
      unproven += count('?');
      broken += count('!');
    }
  }
};

bool same_pictures(const ScenarioResult& a, const ScenarioResult& b) {
  return std::ranges::equal(a.matrix, b.matrix, [](const Matrix& one, const Matrix& other) {
    return one.with == other.with && one.family == other.family && one.from == other.from &&
           one.to == other.to && one.cells == other.cells;
  });
}

/// Scenarios that are told of together: one, or one with several setups that all came to the same.
using Group = std::vector<const ScenarioResult*>;

std::vector<Group> grouped(const RunResult& run) {
  std::vector<Group> groups;
  for (const ScenarioResult& scenario : run.scenarios) {
    const auto known = std::ranges::find_if(groups, [&](const Group& group) {
      const ScenarioResult& first = *group.front();
      return !first.error && !scenario.error && first.name == scenario.name && first.file == scenario.file &&
             first.host == scenario.host && same_pictures(first, scenario);
    });
    if (known == groups.end()) {
      groups.push_back({&scenario});
    } else {
      known->push_back(&scenario);
    }
  }
  return groups;
}

std::string setups_of(const Group& group) {
  std::string setups;
  for (const ScenarioResult* each : group) {
    if (each->setup.empty()) continue;
    setups += (setups.empty() ? "" : ", ") + printable(each->setup);
  }
  return setups;
}

std::string title(const ConsoleOptions& options, const Group& group) {
  const ScenarioResult& first = *group.front();
  std::string text = painted(options, Colour::bold, printable(first.name));
  if (!first.file.empty()) text += "  " + printable(first.file);
  const std::string setups = setups_of(group);
  if (!setups.empty()) text += fmt::format("  (setup{} {})", group.size() == 1 ? "" : "s", setups);
  return text + '\n';
}

/// What is known of a check, with its packets or without.
std::string told(const ConsoleOptions& options, const CheckResult& check, bool packets) {
  if (packets) return detail(options, check);
  CheckResult brief = check;
  brief.journey.clear();
  brief.kernel.clear();
  brief.incomplete.clear();
  brief.frames_lost = false;
  brief.conntrack.clear();
  return detail(options, brief);
}

/// The promises with this verdict, each with what is known of it.
std::string promises(const ConsoleOptions& options, const ScenarioResult& scenario, Verdict verdict,
                     std::string_view about, bool packets) {
  const std::string_view sign = verdict == Verdict::fail ? "!" : "?";
  std::string text;
  for (const CheckResult& check : scenario.checks) {
    if (check.verdict != verdict) continue;
    text += fmt::format("    {} {}\n{}", painted(options, colour_of(verdict), sign), printable(check.id),
                        told(options, check, packets));
  }
  if (!text.empty()) text = fmt::format("\n  {}\n{}", about, text);
  return text;
}

/// Why the cells of one sign are what they are.
std::string reasons(const ConsoleOptions& options, const ScenarioResult& scenario, char sign,
                    std::string_view about) {
  std::map<std::string, MatrixLines> by_reason;
  for (const Matrix& matrix : scenario.matrix) {
    for (const MatrixReason& reason : matrix.reasons) {
      for (const auto& [row, column] : reason.cells) {
        if (matrix.cells[row][column] == sign) by_reason[reason.text].add(matrix, row, column);
      }
    }
  }
  std::string text;
  for (const auto& [reason, lines] : by_reason) {
    text += hanging_lines(options, fmt::format("{} {}", sign, printable(reason)), 4, 6);
    text += lines.text(options, 8);
  }
  if (!text.empty()) text = fmt::format("\n  {}\n{}", about, text);
  return text;
}

/// Why there is nothing to be shown.
std::string nothing(const ConsoleOptions& options, const ScenarioResult& scenario) {
  if (scenario.error) return detail(options, *scenario.error);
  const auto skipped = std::ranges::find(scenario.checks, Verdict::skip, &CheckResult::verdict);
  const std::string reason = skipped == scenario.checks.end()
                                 ? "no two nodes have addresses of one family, as it is built"
                                 : printable(skipped->observed);
  return fmt::format("  nothing was tried: {}\n", reason);
}

/// What is told below the tables.
std::string told_below(const ConsoleOptions& options, const ScenarioResult& scenario, bool packets) {
  std::string text = promises(options, scenario, Verdict::fail, "Not as promised:", packets);
  text += promises(options, scenario, Verdict::inconclusive, "Promised, and not proven either way:", packets);
  text += promises(options, scenario, Verdict::error, "Promised, and could not be tried:", packets);
  if (options.verbosity == Verbosity::verbose) {
    text += reasons(options, scenario, 'X', "Denied, by whom:");
    text += reasons(options, scenario, '?', "Not proven, for want of what:");
  }
  return text;
}

/// The same of all setups of a group: where they differ in more than their packets, for each by its name.
std::string told_below(const ConsoleOptions& options, const Group& group) {
  std::vector<std::pair<std::string, Group>> texts;  // with the setups that it is told of
  for (const ScenarioResult* scenario : group) {
    std::string text = told_below(options, *scenario, false);
    const auto known = std::ranges::find(texts, text, &std::pair<std::string, Group>::first);
    if (known == texts.end()) {
      texts.emplace_back(std::move(text), Group{scenario});
    } else {
      known->second.push_back(scenario);
    }
  }
  const bool packets = options.verbosity == Verbosity::verbose;
  std::string all;
  for (const auto& [text, alike] : texts) {
    if (text.empty()) continue;
    if (texts.size() > 1) {
      const std::string heading =
          fmt::format("With setup{} {}:", alike.size() == 1 ? "" : "s", setups_of(alike));
      all += fmt::format("\n  {}\n", painted(options, Colour::bold, heading));
    }
    all += packets ? told_below(options, *alike.front(), true) : text;
  }
  return all;
}

/// Empty: nothing of it is to be told.
std::string scenario_text(const ConsoleOptions& options, const Group& group) {
  const ScenarioResult& scenario = *group.front();
  const bool quiet = options.verbosity == Verbosity::quiet;
  std::string text;
  if (!quiet && !scenario.matrix.empty()) text += matrix_text(options, scenario.matrix);
  if (scenario.matrix.empty() || scenario.error) text += nothing(options, scenario);
  text += told_below(options, group);
  return text.empty() ? text : title(options, group) + text + '\n';
}

std::string totals(const ConsoleOptions& options, const RunResult& run) {
  Counts counts;
  for (const ScenarioResult& scenario : run.scenarios) {
    for (const Matrix& matrix : scenario.matrix) counts.add(matrix);
    for (const CheckResult& check : scenario.checks) counts.add(check);
  }
  const std::string broken = fmt::format("{} not as promised", counts.broken);
  std::string unproven = fmt::format("{} inconclusive", counts.unproven);
  if (counts.unexplained > 0) unproven += fmt::format(" (of {} why was not looked for)", counts.unexplained);
  return fmt::format("{} allowed, {} denied, {}, {} in {:.1f} s\n", counts.allowed, counts.denied,
                     painted(options, counts.unproven == 0 ? Colour::none : Colour::yellow, unproven),
                     painted(options, counts.broken == 0 ? Colour::none : Colour::red, broken),
                     run.duration_ms / 1000);
}

}  // namespace

std::string matrix_report(const ConsoleOptions& options, const RunResult& run) {
  std::string text;
  for (const Group& group : grouped(run)) text += scenario_text(options, group);
  if (run.interrupted) {
    text +=
        painted(options, Colour::yellow, "interrupted: a space stands for what had not ended by then") + '\n';
  }
  if (options.verbosity != Verbosity::quiet) {
    text += ". allowed   X denied   ? inconclusive   ! differs from the promise   - itself\n";
  }
  return text + totals(options, run);
}

}  // namespace plumbline::engine
