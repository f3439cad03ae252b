#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/engine/mutation/report.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine::mutation {
namespace {

using namespace console;

constexpr std::array<Fate, 6> kFates{Fate::noticed, Fate::survived, Fate::equivalent,
                                     Fate::refused, Fate::not_made, Fate::broken};
constexpr std::size_t kCellColumns = 12;
constexpr std::size_t kFateColumns = 10;  // "equivalent"

Colour colour_of(Fate fate) {
  switch (fate) {
    case Fate::noticed:
      return Colour::green;
    case Fate::survived:
    case Fate::broken:
      return Colour::red;
    case Fate::equivalent:
    case Fate::refused:
      return Colour::dim;
    case Fate::not_made:
      break;
  }
  return Colour::yellow;
}

bool is_shown(const ConsoleOptions& options, Fate fate) {
  if (options.verbosity == Verbosity::verbose) return true;
  if (fate == Fate::noticed) return false;
  return options.verbosity == Verbosity::normal || (fate != Fate::equivalent && fate != Fate::refused);
}

std::string label(const MutationResult& result) {
  return result.setup.empty() ? printable(result.scenario)
                              : fmt::format("{} ({})", printable(result.scenario), printable(result.setup));
}

std::string lines(std::string_view title, std::string_view text) {
  std::string told;
  for (const std::string& line : printable_lines(text)) {
    told += fmt::format("      {}{}\n", padded(told.empty() ? title : "", 11), line);
  }
  return told;
}

std::string_view title_of(Fate fate) {
  switch (fate) {
    case Fate::noticed:
      return "by";
    case Fate::equivalent:
      return "because";
    case Fate::survived:
    case Fate::refused:
    case Fate::not_made:
    case Fate::broken:
      break;
  }
  return "said";
}

std::string mutant_text(const ConsoleOptions& options, const MutantResult& result) {
  const auto& [mutant, fate, noticing, says] = result;
  std::string text =
      fmt::format("  {}  {}\n", painted(options, colour_of(fate), padded(to_text(fate), kFateColumns)),
                  printable(mutant.id));
  if (!mutant.becomes.empty()) text += lines("becomes", mutant.becomes);
  text += lines(title_of(fate), noticing > 1 ? fmt::format("{} and {} more", says, noticing - 1) : says);
  if (options.verbosity != Verbosity::verbose) return text;
  for (const std::string& command : mutant.commands) text += lines("$", command);
  return text;
}

}  // namespace

std::string console_scenario(const ConsoleOptions& options, const MutationResult& result) {
  std::string text =
      painted(options, Colour::bold, label(result)) +
      fmt::format("  {}, {} in {}\n", counted(result.checks, "check"),
                  counted(result.mutants.size(), "mutant"), duration(options, result.duration_ms));
  if (result.problem) text += lines(result.skipped ? "skipped" : "not tried", *result.problem);
  for (const MutantResult& mutant : result.mutants) {
    if (is_shown(options, mutant.fate)) text += mutant_text(options, mutant);
  }
  return text;
}

std::string console_totals(const ConsoleOptions& options, const MutationRun& run) {
  std::string text;
  for (const Stale& stale : run.stale) {
    text += fmt::format("{}: no mutant survives that this is about: {}\n", printable(stale.where),
                        printable(stale.mutant));
  }
  std::size_t width = std::string_view("scenario").size();
  for (const MutationResult& result : run.scenarios) width = std::max(width, label(result).size());
  std::vector<std::string> heads{"mutants"};
  for (const Fate fate : kFates) heads.emplace_back(to_text(fate));
  heads.emplace_back("time");
  text += "\n" + painted(options, Colour::bold, table_row("scenario", width, heads, kCellColumns));
  std::array<std::size_t, kFates.size()> sums{};
  std::size_t all = 0;
  for (const MutationResult& result : run.scenarios) {
    std::vector<std::string> cells{cell(result.mutants.size())};
    for (std::size_t i = 0; i < kFates.size(); ++i) {
      cells.push_back(cell(result.count(kFates.at(i))));
      sums.at(i) += result.count(kFates.at(i));
    }
    cells.push_back(duration(options, result.duration_ms));
    all += result.mutants.size();
    text += table_row(label(result), width, cells, kCellColumns);
  }
  std::vector<std::string> cells{cell(all)};
  for (const std::size_t sum : sums) cells.push_back(cell(sum));
  cells.push_back(duration(options, run.duration_ms));
  text += table_row("all", width, cells, kCellColumns);
  if (run.interrupted) text += "interrupted: only what had ended by then is counted\n";
  return text;
}

}  // namespace plumbline::engine::mutation
