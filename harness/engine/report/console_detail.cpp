#include "harness/engine/report/console_detail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "harness/engine/check/words.hpp"
#include "harness/engine/report/compared.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/ladder.hpp"
#include "harness/engine/report/shared_causes.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine::console {
namespace {

constexpr std::size_t kIndent = kDetailIndent;
constexpr std::size_t kLabel = 10;
constexpr std::size_t kText = kIndent + kLabel;

/// Lines of "      label     text", the label once.
class Block {
 public:
  explicit Block(const ConsoleOptions& options) : options_(options) {}

  /// Wrapped; one line of text, whatever it holds.
  void text(std::string_view label, std::string_view value, Colour colour = Colour::none) {
    if (!value.empty()) wrapped(label, printable(value), colour);
  }
  /// One of a list: what is wrapped goes on below its text.
  void item(std::string_view value) { wrapped("", printable(value), Colour::none, "- "); }
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
  /// Whole lines, as they are.
  void raw(std::string_view lines) { lines_.append(lines); }
  std::string take() { return std::move(lines_); }

 private:
  void wrapped(std::string_view label, const std::string& value, Colour colour, std::string dash = {}) {
    const std::size_t room = std::max(options_.width, kText + kNarrowest) - kText - dash.size();
    for (const std::string& one : wrap(value, room)) {
      line(label, dash + one, colour);
      label = {};
      dash.assign(dash.size(), ' ');
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

/// "host: 192.168.99.11:4000 > 203.0.113.80:80, answered as 203.0.113.80:80 > 192.168.16.10:4000".
std::string tracked_text(const Tracked& tracked) {
  return fmt::format("{}: {}, {} {}", tracked.node, tracked.original,
                     tracked.answered ? "answered as" : "no answer yet, which would be", tracked.reply);
}

std::string control_text(const Control& control) {
  std::string text = control.from + " -> " + control.to;
  if (!control.with.empty()) text += " " + control.with;
  text += ": ";
  text += to_text(control.verdict);
  if (!control.observed.empty()) text += ", " + control.observed;
  return text;
}

/// The most certain first, and how to mend it; the others may be meant as well.
void add_causes(Block& block, const std::vector<Cause>& causes) {
  for (std::size_t i = 0; i < causes.size(); ++i) {
    const Cause& cause = causes[i];
    block.text(i == 0 ? "cause" : "or", cause_text(cause), i == 0 ? Colour::bold : Colour::none);
    for (const std::string& evidence : cause.evidence) block.item(evidence);
    block.verbatim("fix", cause.fix);
  }
  if (!causes.empty() && !causes.front().code.empty()) {
    block.verbatim("more", "plumbline explain " + causes.front().code);
  }
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
  if (check.verdict == Verdict::skip) return reason_of_skip(options, check.observed);
  block.text("expected", check.expected);
  block.text("observed", check.observed,
             check.verdict == Verdict::pass ? Colour::none : colour_of(check.verdict));
  if (check.control) block.text("control", control_text(*check.control));
  block.raw(ladder(options, check));
  std::string_view label = "not told";
  for (const std::string& gap : untold(check)) {
    block.text(label, gap, Colour::yellow);
    label = {};
  }
  label = "conntrack";
  for (const Tracked& tracked : check.conntrack) {
    block.text(label, tracked_text(tracked));
    label = {};
  }
  block.text("stopped", check.stopped, Colour::bold);
  add_causes(block, check.causes);
  block.verbatim("where", check.where);
  block.verbatim("trace", check.trace);
  return block.take();
}

std::string reason_of_skip(const ConsoleOptions& options, std::string_view reason) {
  Block block(options);
  block.text("reason", reason);
  return block.take();
}

std::string detail(const ConsoleOptions& options, const ScenarioError& error) {
  Block block(options);
  block.paragraphs("message", error.message);
  block.verbatim("where", error.where);
  block.verbatim("remedy", error.remedy);
  return block.take();
}

std::string shared_causes(const ConsoleOptions& options, const RunResult& run) {
  const bool all = options.verbosity == Verbosity::verbose;
  const SharedCauses shared =
      all ? engine::shared_causes(run, std::numeric_limits<std::size_t>::max()) : engine::shared_causes(run);
  std::string text;
  for (const SharedCause& each : shared.most) {
    Block block(options);
    block.text("cause", cause_text(each.cause), Colour::bold);
    block.verbatim("fix", fix_text(each));
    text += printable(headline(each)) + "\n" + block.take();
  }
  if (shared.others != 0) text += fmt::format("{} more causes of several checks (-v)\n", shared.others);
  return text.empty() ? text : text + '\n';
}

std::string repetitions(const ConsoleOptions& options, const RunResult& run) {
  const std::vector<Difference> differing = run.differing();
  if (differing.empty()) return fmt::format("{} repetitions: no verdict differed\n", run.repetitions);
  std::string text = painted(options, Colour::yellow,
                             fmt::format("{} repetitions: the verdict of {} differed", run.repetitions,
                                         counted(differing.size(), "check"))) +
                     "\n";
  const bool several_hosts = run.has_several_hosts();
  for (const Difference& difference : differing) {
    const std::string host = several_hosts ? difference.host : "";
    text += fmt::format("  {}: {}\n      {}\n",
                        printable(scenario_text(difference.scenario, difference.setup, host)),
                        printable(difference.check), verdicts_text(difference));
  }
  return text;
}

}  // namespace plumbline::engine::console
