#include "harness/engine/report/console_detail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine::console {
namespace {

constexpr std::size_t kIndent = 6;
constexpr std::size_t kLabel = 10;
constexpr std::size_t kText = kIndent + kLabel;
constexpr std::size_t kNarrowest = 20;  // columns below which wrapping helps nobody

/// Packets of a journey that are shown without -v: how it began and how it ended. Between them lie, for a TCP
/// connection that failed late, dozens that say the same.
constexpr std::size_t kFirstRungs = 20;
constexpr std::size_t kLastRungs = 8;

/// Lines of "      label     text", the label once.
class Block {
 public:
  explicit Block(const ConsoleOptions& options) : options_(options) {}

  /// Wrapped; one line of text, whatever it holds.
  void text(std::string_view label, std::string_view value, Colour colour = Colour::none) {
    if (!value.empty()) wrapped(label, printable(value), colour);
  }
  /// Wrapped, its own line ends kept.
  void paragraphs(std::string_view label, std::string_view value) {
    for (const std::string& one : printable_lines(value)) {
      wrapped(label, one, Colour::none);
      label = {};
    }
  }
  /// Never wrapped: what a reader copies.
  void verbatim(std::string_view label, std::string_view value) {
    for (const std::string& one : printable_lines(value)) {
      line(label, one, Colour::none);
      label = {};
    }
  }
  void raw(std::string_view rung) {
    lines_.append(rung);
    lines_ += '\n';
  }
  void label(std::string_view label) {
    raw(std::string(kIndent, ' ') + painted(options_, Colour::dim, label));
  }
  std::string take() { return std::move(lines_); }

 private:
  void wrapped(std::string_view label, const std::string& value, Colour colour) {
    const std::size_t room = std::max(options_.width, kText + kNarrowest) - kText;
    for (const std::string& one : wrap(value, room)) {
      line(label, one, colour);
      label = {};
    }
  }
  void line(std::string_view label, std::string_view value, Colour colour) {
    lines_.append(kIndent, ' ');
    lines_ += painted(options_, label.empty() ? Colour::none : Colour::dim, padded(label, kLabel));
    lines_ += painted(options_, colour, value);
    lines_ += '\n';
  }

  const ConsoleOptions& options_;
  std::string lines_;
};

std::string_view arrow(const ConsoleOptions& options, std::string_view direction) {
  if (direction == "out") return options.unicode ? "→" : "->";
  if (direction == "in") return options.unicode ? "←" : "<-";
  return options.unicode ? "·" : "--";
}

/// Time right-aligned, place padded, arrow, packet; the packet wraps under itself.
void add_ladder(Block& block, const ConsoleOptions& options, const std::vector<JourneyStep>& journey) {
  if (journey.empty()) return;
  struct Rung {
    std::string time, place, packet;
    std::string_view arrow;
  };
  std::vector<Rung> rungs;
  std::size_t time_width = 0;
  std::size_t place_width = 0;
  for (const JourneyStep& step : journey) {
    rungs.push_back({duration(options, static_cast<double>(step.t_us) / 1000),
                     printable(step.node) + ":" + printable(step.interface), printable(step.packet),
                     arrow(options, step.direction)});
    if (step.direction != "in" && step.direction != "out")
      rungs.back().packet += " (" + printable(step.direction) + ")";
    time_width = std::max(time_width, columns(rungs.back().time));
    place_width = std::max(place_width, columns(rungs.back().place));
  }
  block.label("journey");
  const std::size_t before = kIndent + 2 + time_width + 2 + place_width + 2 + 2 + 1;
  const std::size_t room = options.width > before + kNarrowest ? options.width - before : kNarrowest;
  const bool all = options.verbosity == Verbosity::verbose || rungs.size() <= kFirstRungs + kLastRungs + 1;
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    if (!all && i == kFirstRungs) {
      const std::size_t left_out = rungs.size() - kFirstRungs - kLastRungs;
      block.raw(
          fmt::format("{:{}}{} packets more, shown with -v and in the trace", "", kIndent + 2, left_out));
      i += left_out;
    }
    const Rung& rung = rungs[i];
    const std::vector<std::string> packet = wrap(rung.packet, room);
    block.raw(fmt::format("{:{}}{}  {}  {} {}", "", kIndent + 2, right_aligned(rung.time, time_width),
                          padded(rung.place, place_width),
                          painted(options, Colour::cyan, padded(rung.arrow, 2)), packet.front()));
    for (auto rest = std::next(packet.begin()); rest != packet.end(); ++rest) {
      block.raw(std::string(before, ' ') + *rest);
    }
  }
}

/// "host forward IN=bridge0 OUT=ens4: ip filter FORWARD iifname "bridge0" accept (verdict accept)".
std::string kernel_text(const KernelEvent& event) {
  std::string text = event.node;
  if (!event.hook.empty()) text += " " + event.hook;
  if (!event.iif.empty()) text += " IN=" + event.iif;
  if (!event.oif.empty()) text += " OUT=" + event.oif;
  if (!event.leg.empty() && event.leg != "forward") text += " (" + event.leg + ")";
  text += ":";
  const std::string* const parts[] = {&event.table, &event.chain, &event.rule};
  for (const std::string* part : parts) {
    if (!part->empty()) text += " " + *part;
  }
  if (event.table.empty() && event.drop_reason.empty()) text += " no rule";
  if (!event.verdict.empty()) text += " (verdict " + event.verdict + ")";
  if (!event.drop_reason.empty()) text += " (drop reason " + event.drop_reason + ")";
  return text;
}

std::string control_text(const Control& control) {
  std::string text = control.from + " -> " + control.to;
  if (!control.with.empty()) text += " " + control.with;
  text += ": ";
  text += to_text(control.verdict);
  if (!control.observed.empty()) text += ", " + control.observed;
  return text;
}

void add_cause(Block& block, const Cause& cause) {
  block.text("cause", cause.code.empty() ? cause.summary : cause.code + ": " + cause.summary, Colour::bold);
  for (const std::string& evidence : cause.evidence) block.text("", "- " + evidence);
  block.verbatim("fix", cause.fix);
}

/// "pass 18 times, fail in repetition 7 and 9": which of them is told where it is the exception.
std::string verdicts_text(const Difference& difference) {
  std::size_t most = 0;
  for (const auto& [verdict, which] : difference.repetitions) most = std::max(most, which.size());
  std::string text;
  for (const auto& [verdict, which] : difference.repetitions) {
    text += fmt::format("{}{} ", text.empty() ? "" : ", ", to_text(verdict));
    constexpr std::size_t kListed = 5;
    if (which.size() == most && most > 1) {
      text += fmt::format("{} times", which.size());
    } else if (which.size() <= kListed) {
      text += fmt::format("in repetition {}", fmt::join(which, ", "));
    } else {
      text += fmt::format("{} times, first in repetition {}", which.size(), which.front());
    }
  }
  return text;
}

}  // namespace

std::string detail(const ConsoleOptions& options, const CheckResult& check) {
  Block block(options);
  if (check.verdict == Verdict::skip) {
    block.text("reason", check.observed);
    return block.take();
  }
  block.text("expected", check.expected);
  block.text("observed", check.observed,
             check.verdict == Verdict::pass ? Colour::none : colour_of(check.verdict));
  if (check.control) block.text("control", control_text(*check.control));
  add_ladder(block, options, check.journey);
  std::string_view label = "kernel";
  for (const KernelEvent& event : check.kernel) {
    block.text(label, kernel_text(event));
    label = {};
  }
  for (const Cause& cause : check.causes) add_cause(block, cause);
  block.verbatim("where", check.where);
  block.verbatim("trace", check.trace);
  return block.take();
}

std::string detail(const ConsoleOptions& options, const ScenarioError& error) {
  Block block(options);
  block.paragraphs("message", error.message);
  block.verbatim("where", error.where);
  block.verbatim("remedy", error.remedy);
  return block.take();
}

std::string repetitions(const ConsoleOptions& options, const RunResult& run) {
  const std::vector<Difference> differing = run.differing();
  if (differing.empty()) return fmt::format("{} repetitions: no verdict differed\n", run.repetitions);
  std::string text = painted(options, Colour::yellow,
                             fmt::format("{} repetitions: the verdict of {} differed", run.repetitions,
                                         counted(differing.size(), "check"))) +
                     "\n";
  for (const Difference& difference : differing) {
    text += fmt::format("  {} ({}): {}\n      {}\n", printable(difference.scenario),
                        printable(difference.setup), printable(difference.check), verdicts_text(difference));
  }
  return text;
}

}  // namespace plumbline::engine::console
