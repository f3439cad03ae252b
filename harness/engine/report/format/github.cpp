#include <fmt/format.h>

#include <ostream>
#include <random>

#include "harness/engine/report/explain.hpp"
#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/place.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

/// What the runner reads as a message: a line end in it is %0A.
std::string message(std::string_view text) {
  std::string out;
  for (const std::string& line : printable_lines(text)) {
    if (!out.empty()) out += "%0A";
    for (const char c : line) out += c == '%' ? std::string("%25") : std::string(1, c);
  }
  return out;
}

/// A property of a command: colons and commas end one.
std::string property(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '%' || c == ':' || c == ',') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string annotation(std::string_view level, std::string_view where, std::string_view title,
                       std::string_view text) {
  const Place place = place_of(where);
  std::string properties = "title=" + property(title);
  if (!place.file.empty()) properties += ",file=" + property(place.file);
  if (!place.line.empty()) properties += ",line=" + place.line;
  if (!place.column.empty()) properties += ",col=" + place.column;
  return fmt::format("::{} {}::{}\n", level, properties, message(text));
}

/// Workflow commands of GitHub Actions: each promise that was not kept is marked in the spec, at its line.
class GithubReporter final : public Reporter {
 public:
  /// `among_others`: other reports' lines stand on the same output, in which a spec's words could look like
  /// commands: until it speaks itself, the runner is to take none.
  GithubReporter(std::ostream& out, bool among_others) : out_(out) {
    if (!among_others) return;
    resume_ = token();
    out_ << "::stop-commands::" << resume_ << '\n' << std::flush;
  }

  void run_finished(const RunResult& run) override {
    if (!resume_.empty()) out_ << "::" << resume_ << "::\n";
    const bool several_hosts = run.has_several_hosts();
    for (const ScenarioResult& scenario : run.scenarios) {
      const std::string on_host = several_hosts && !scenario.host.empty() ? " on " + scenario.host : "";
      for (const CheckResult& check : scenario.checks) {
        if (check.verdict == Verdict::pass || check.verdict == Verdict::skip) continue;
        const bool open = check.verdict == Verdict::inconclusive;
        out_ << annotation(
            open ? "warning" : "error", check.where,
            fmt::format("{} ({}, {}{})", headline(check), scenario.name, scenario.setup, on_host),
            in_brief(check));
      }
      if (scenario.error) {
        out_ << annotation("error", scenario.error->where.empty() ? scenario.file : scenario.error->where,
                           scenario.name + on_host + " could not be run", in_brief(*scenario.error));
      }
    }
    if (run.interrupted)
      out_ << annotation("error", "", "interrupted", "the report counts only what had ended by then");
    out_ << std::flush;
  }

 private:
  /// Nobody who writes a spec can know it.
  static std::string token() {
    std::random_device random;
    return fmt::format("plumbline-{:08x}{:08x}{:08x}", random(), random(), random());
  }

  std::ostream& out_;
  std::string resume_;  ///< what ends the time without commands; empty: there is none
};

}  // namespace

Format github_format() {
  Format format{"github", "annotations of GitHub Actions at the spec's lines, and the job's summary",
                [](std::ostream& out, const ConsoleOptions& options) -> std::unique_ptr<Reporter> {
                  return std::make_unique<GithubReporter>(out, options.folder.empty());
                }};
  format.shares_output = true;
  return format;
}

}  // namespace plumbline::engine
