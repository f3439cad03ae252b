#include "harness/engine/report/console_compared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "harness/engine/report/compared.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine::console {
namespace {

constexpr std::size_t kNarrowestText = 24;
constexpr std::size_t kMost = 12;    // checks or landmarks in a row
constexpr std::size_t kMostNew = 4;  // checks that only one run has: a new scenario has many

/// Lines indented more and more: the scenario, what befell its checks, which they are, their way.
class Lines {
 public:
  explicit Lines(const ConsoleOptions& options) : options_(options) {}

  /// A line that is too long goes on below itself.
  void add(std::size_t indent, std::string_view mark, std::string_view text, Colour colour = Colour::none) {
    const std::size_t before = indent + mark.size();
    const std::size_t room = std::max(options_.width, before + kNarrowestText) - before;
    for (const std::string& line : wrap(printable(text), room)) {
      lines_ += std::string(indent, ' ') + std::string(mark) + painted(options_, colour, line) + "\n";
      indent = before;
      mark = {};
    }
  }
  /// Without -v no more than `most` lines.
  void add_all(std::size_t indent, std::string_view mark, const std::vector<std::string>& texts,
               std::size_t most) {
    if (options_.verbosity == Verbosity::verbose) most = std::numeric_limits<std::size_t>::max();
    const std::size_t shown = texts.size() > most ? most - 1 : texts.size();
    for (std::size_t i = 0; i < shown; ++i) add(indent, mark, arrows(texts[i]));
    if (shown < texts.size()) add(indent, mark, fmt::format("and {} more (-v)", texts.size() - shown));
  }
  std::string take() { return std::move(lines_); }

 private:
  /// Only terminals are known to show an arrow.
  std::string arrows(std::string text) const {
    constexpr std::string_view kArrow = "→";
    for (std::size_t at = 0; !options_.unicode && (at = text.find(kArrow, at)) != std::string::npos;)
      text.replace(at, kArrow.size(), "->");
    return text;
  }

  const ConsoleOptions& options_;
  std::string lines_;
};

/// Writes `scenario` where it is another than before.
class Headings {
 public:
  void add(Lines& lines, const std::string& scenario) {
    if (scenario != last_) lines.add(2, "", scenario, Colour::bold);
    last_ = scenario;
  }

 private:
  std::string last_;
};

}  // namespace

std::string across_hosts(const ConsoleOptions& options, const RunResult& run) {
  if (!run.has_several_hosts()) return "";
  const std::vector<HostDifference> differences = run.across_hosts();
  const std::size_t shared = run.shared_by_hosts();
  Lines lines(options);
  if (differences.empty()) {
    const std::string told = shared == 0
                                 ? "no check in common"
                                 : fmt::format("no verdict differs; {} in common", counted(shared, "check"));
    lines.add(0, "", "across hosts: " + told);
    return lines.take();
  }
  lines.add(0, "",
            fmt::format("across hosts: the verdict of {} differs; {} in common",
                        counted(differences.size(), "check"), counted(shared, "check")),
            Colour::yellow);
  Headings headings;
  for (const AlikeDifferences& one : alike(differences)) {
    headings.add(lines, scenario_text(one.difference.scenario, one.difference.setup, ""));
    lines.add(4, "", verdicts_text(one.difference));
    lines.add_all(6, "", one.checks, kMost);
  }
  return lines.take();
}

std::string baseline(const ConsoleOptions& options, const RunResult& run) {
  if (!run.baseline) return "";
  Lines lines(options);
  lines.add(0, "", headline(*run.baseline), run.baseline->changes.empty() ? Colour::none : Colour::yellow);
  Headings headings;
  const bool several_hosts = run.has_several_hosts();
  for (const AlikeChanges& one : alike(*run.baseline)) {
    const BaselineChange& change = one.change;
    headings.add(lines, scenario_text(change.scenario, change.setup, several_hosts ? change.host : ""));
    lines.add(4, "", verdicts_text(change), change.is ? colour_of(*change.is) : Colour::none);
    lines.add_all(6, "", one.checks, change.was && change.is ? kMost : kMostNew);
    lines.add_all(8, "+ ", change.gained, kMost);
    lines.add_all(8, "- ", change.lost, kMost);
  }
  if (const std::string text = gaps(*run.baseline); !text.empty()) lines.add(2, "", text, Colour::yellow);
  return lines.take();
}

}  // namespace plumbline::engine::console
