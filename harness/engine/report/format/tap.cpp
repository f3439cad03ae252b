#include <fmt/format.h>

#include <boost/json.hpp>
#include <ostream>

#include "harness/engine/report/explain.hpp"
#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/place.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

/// A test's description: a # would begin a directive.
std::string description(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '\\' || c == '#') out += '\\';
    out += c;
  }
  return out;
}

/// A value of YAML on one line: JSON's strings are among them.
std::string quoted(std::string_view text) {
  return boost::json::serialize(json_text(printable(text)));
}

/// The lines of `text` as a sequence. A literal block would be nearer to the reader, but Perl's reader of
/// YAML takes none whose first line is indented.
std::string sequence(std::string_view text) {
  std::string out = "\n";
  for (const std::string& line : printable_lines(text)) out += "    - " + quoted(line) + "\n";
  return out;
}

/// The Test Anything Protocol, version 14, with a YAML block below what did not pass. It says 13, of which it
/// needs nothing more: Perl's `prove` before 3.45 (Debian 12's) fails every stream that says 14.
class TapReporter final : public Reporter {
 public:
  TapReporter(std::ostream& out, bool several_hosts) : out_(out), several_hosts_(several_hosts) {
    out_ << "TAP version 13\n";
  }

  void scenario_finished(const ScenarioResult& scenario) override {
    std::string prefix = scenario.name;
    if (!scenario.setup.empty()) prefix += "." + scenario.setup;
    if (several_hosts_ && !scenario.host.empty()) prefix.insert(0, scenario.host + ": ");
    if (scenario.repetition != 0) prefix += fmt::format(" (repetition {})", scenario.repetition);
    for (const CheckResult& check : scenario.checks) point(prefix, check);
    if (scenario.error) {
      ++count_;
      out_ << fmt::format("not ok {} - {}\n  ---\n  severity: \"error\"\n  message:{}", count_,
                          description(prefix + ": the scenario can be run"),
                          sequence(explain(*scenario.error)))
           << "  ...\n";
    }
    out_ << std::flush;
  }

  void run_finished(const RunResult& run) override {
    if (run.interrupted) out_ << "Bail out! interrupted: what stands above had ended by then\n";
    out_ << fmt::format("1..{}\n", count_) << std::flush;
  }

 private:
  void point(const std::string& prefix, const CheckResult& check) {
    ++count_;
    const bool good = check.verdict == Verdict::pass || check.verdict == Verdict::skip;
    out_ << fmt::format("{} {} - {}", good ? "ok" : "not ok", count_, description(prefix + "/" + check.id));
    if (check.verdict == Verdict::skip) out_ << " # SKIP " << description(check.observed);
    out_ << '\n';
    if (good) return;
    out_ << "  ---\n"
         << fmt::format("  severity: \"{}\"\n  message: {}\n  expected: {}\n", to_text(check.verdict),
                        quoted(check.observed), quoted(check.expected));
    const Place place = place_of(check.where);
    if (!place.file.empty()) out_ << "  file: " << quoted(place.file) << '\n';
    if (!place.line.empty()) out_ << "  line: " << place.line << '\n';
    if (!check.causes.empty()) {
      out_ << fmt::format("  cause: {}\n", quoted(check.causes.front().code));
      if (!check.causes.front().fix.empty()) out_ << "  fix:" << sequence(check.causes.front().fix);
    }
    if (!check.trace.empty()) out_ << "  trace: " << quoted(check.trace) << '\n';
    out_ << "  explanation:" << sequence(explain(check)) << "  ...\n";
  }

  std::ostream& out_;
  bool several_hosts_;
  std::size_t count_ = 0;
};

}  // namespace

Format tap_format() {
  Format format{"tap", "the Test Anything Protocol, with YAML diagnostics",
                [](std::ostream& out, const ConsoleOptions& options) -> std::unique_ptr<Reporter> {
                  return std::make_unique<TapReporter>(out, options.several_hosts);
                }};
  format.grows = true;
  return format;
}

}  // namespace plumbline::engine
