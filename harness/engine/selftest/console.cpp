#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "harness/engine/report/console_detail.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/text.hpp"
#include "harness/engine/selftest/report.hpp"

namespace plumbline::engine::selftest {
namespace {

using namespace console;

constexpr std::size_t kNameColumns = 10;
constexpr std::size_t kCellColumns = 13;
constexpr std::size_t kOutcomeColumns = 11;  // "false alarm"

Colour colour_of(Outcome outcome) {
  if (outcome == Outcome::caught) return Colour::green;
  return outcome == Outcome::skipped ? Colour::yellow : Colour::red;
}

bool is_wrong(Outcome outcome) {
  return outcome != Outcome::caught && outcome != Outcome::skipped;
}

/// "12 checks: link-down".
std::string noticed(const FaultResult& fault) {
  if (fault.noticed == 0) return fault.kind == "healthy" ? "no alarm" : "no check noticed";
  std::string text = counted(fault.noticed, "check");
  if (!fault.causes.empty()) text += fmt::format(": {}", fmt::join(fault.causes, ", "));
  return text;
}

/// The checks that did the same wrong thing are told together.
using Alike = std::pair<Outcome, std::string>;

std::string findings(const ConsoleOptions& options, const FaultResult& fault) {
  std::vector<std::pair<Alike, std::vector<const Finding*>>> groups;
  for (const Finding& finding : fault.findings) {
    const Alike alike{finding.outcome,
                      fmt::format("expected {}; it came to {}", finding.expected, finding.observed)};
    auto group = std::ranges::find(groups, alike, &decltype(groups)::value_type::first);
    if (group == groups.end()) group = groups.insert(groups.end(), {alike, {}});
    group->second.push_back(&finding);
  }
  std::string text;
  constexpr std::size_t kMost = 3;
  for (const auto& [alike, members] : groups) {
    text += fmt::format("    {}: {}\n", to_text(alike.first), printable(alike.second));
    std::size_t shown = 0;
    for (const Finding* finding : members) {
      if (options.verbosity != Verbosity::verbose && ++shown > kMost) {
        text += fmt::format("      and {} more\n", members.size() - kMost);
        break;
      }
      text += fmt::format("      {}\n", printable(finding->check.id));
      if (options.verbosity == Verbosity::verbose) text += detail(options, finding->check);
    }
  }
  return text;
}

}  // namespace

std::string console_line(const ConsoleOptions& options, const FaultResult& fault) {
  if (options.verbosity == Verbosity::quiet && !is_wrong(fault.outcome)) return "";
  std::string text = fmt::format(
      "{}  {} ({})  {}  {}\n",
      painted(options, colour_of(fault.outcome), padded(to_text(fault.outcome), kOutcomeColumns)),
      printable(fault.id), printable(fault.setup), noticed(fault), duration(options, fault.duration_ms));
  if (is_wrong(fault.outcome) || options.verbosity == Verbosity::verbose) {
    for (const std::string& line : wrap(printable(fault.about), std::max<std::size_t>(options.width, 24) - 4))
      text += fmt::format("    {}\n", painted(options, Colour::dim, line));
  }
  if (is_wrong(fault.outcome)) text += fmt::format("    {}\n", printable(fault.file));
  for (const std::string& line : printable_lines(fault.problem)) text += fmt::format("    {}\n", line);
  for (const std::string& line : printable_lines(fault.remedy)) text += fmt::format("    remedy: {}\n", line);
  return text + findings(options, fault);
}

std::string console_totals(const ConsoleOptions& options, const Selftest& selftest) {
  std::vector<std::string> heads{"faults"};
  for (const Outcome outcome : kOutcomes) heads.emplace_back(to_text(outcome));
  std::string text =
      "\n" + painted(options, Colour::bold, table_row("class", kNameColumns, heads, kCellColumns));
  const auto add_row = [&](std::string_view name, const auto& wanted) {
    std::vector<std::string> cells;
    std::size_t all = 0;
    for (const Outcome outcome : kOutcomes) {
      const auto count =
          static_cast<std::size_t>(std::ranges::count_if(selftest.faults, [&](const FaultResult& fault) {
            return wanted(fault) && fault.outcome == outcome;
          }));
      all += count;
      cells.push_back(cell(count));
    }
    if (all == 0) return;
    cells.insert(cells.begin(), std::to_string(all));
    text += table_row(name, kNameColumns, cells, kCellColumns);
  };
  for (const std::string_view kind : fault_classes())
    add_row(kind, [&](const FaultResult& fault) { return fault.kind == kind; });
  add_row("all", [](const FaultResult&) { return true; });
  if (selftest.interrupted) text += "interrupted: only what had ended by then is counted\n";
  const std::size_t tried = selftest.faults.size() - selftest.count(Outcome::skipped);
  const std::size_t right = selftest.count(Outcome::caught);
  const std::string score = fmt::format("{} of {} as it should be", right, tried);
  text += fmt::format("\n{} in {}\n", painted(options, right == tried ? Colour::green : Colour::red, score),
                      duration(options, selftest.duration_ms));
  return text;
}

}  // namespace plumbline::engine::selftest
