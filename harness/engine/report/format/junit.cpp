#include <fmt/format.h>

#include <ostream>

#include "harness/engine/report/explain.hpp"
#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/markup.hpp"
#include "harness/engine/report/place.hpp"

namespace plumbline::engine {
namespace {

/// As ctest names it: "two-uplinks.native". Readers keep a history for each name: hosts have one each.
std::string suite_name(const ScenarioResult& scenario, bool several_hosts) {
  std::string name = several_hosts && !scenario.host.empty() ? scenario.host + ": " : "";
  name += scenario.name;
  if (!scenario.setup.empty()) name += "." + scenario.setup;
  if (scenario.repetition != 0) name += fmt::format(" (repetition {})", scenario.repetition);
  return name;
}

struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;

  void add(Verdict verdict) {
    ++tests;
    if (verdict == Verdict::fail) ++failures;
    if (verdict == Verdict::inconclusive || verdict == Verdict::error) ++errors;
    if (verdict == Verdict::skip) ++skipped;
  }
  void add(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
  }
  std::string attributes() const {
    return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", tests, failures, errors,
                       skipped);
  }
};

std::string seconds(double milliseconds) {
  return fmt::format("{:.6f}", milliseconds / 1000);
}

std::string property(std::string_view name, std::string_view value) {
  return fmt::format("<property name=\"{}\" value=\"{}\"/>", name, markup(value));
}

/// A line that says it all, for lists that show no more.
std::string message_of(const CheckResult& check) {
  if (check.causes.empty()) return check.observed;
  const Cause& cause = check.causes.front();
  return fmt::format("{}; {}{}: {}", check.observed, cause.proven ? "" : "likely ", cause.code,
                     cause.summary);
}

std::string problem(std::string_view element, Verdict verdict, std::string_view message,
                    std::string_view text) {
  return fmt::format("      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", element, to_text(verdict),
                     markup(message), markup_lines(text));
}

std::string test_case(const std::string& suite, const CheckResult& check) {
  const Place place = place_of(check.where);
  std::string text = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"", markup(suite),
                                 markup(check.id), seconds(check.duration_ms));
  if (!place.file.empty()) text += fmt::format(" file=\"{}\"", markup(place.file));
  if (!place.line.empty()) text += fmt::format(" line=\"{}\"", place.line);
  text += ">\n      <properties>" + property("type", check.type);
  if (!check.causes.empty()) text += property("cause", check.causes.front().code);
  if (!check.trace.empty()) text += property("trace", check.trace);
  text += "</properties>\n";
  switch (check.verdict) {
    case Verdict::pass:
      break;
    case Verdict::fail:
      text += problem("failure", check.verdict, message_of(check), explain(check));
      break;
    // Neither kept nor broken as far as can be proven: a failure would say more than is known.
    case Verdict::inconclusive:
    case Verdict::error:
      text += problem("error", check.verdict, message_of(check), explain(check));
      break;
    case Verdict::skip:
      text += fmt::format("      <skipped message=\"{}\"/>\n", markup(check.observed));
      break;
  }
  // As Jenkins' plugin for attachments reads it.
  if (!check.trace.empty())
    text += fmt::format("      <system-out>[[ATTACHMENT|{}]]</system-out>\n", markup(check.trace));
  return text + "    </testcase>\n";
}

/// What befell the scenario or the whole run, as a case of its own: lists of cases are what is looked at.
std::string befallen(const std::string& suite, std::string_view name, std::string_view message,
                     std::string_view text) {
  return fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"0\">\n", markup(suite), name) +
         problem("error", Verdict::error, message, text) + "    </testcase>\n";
}

/// JUnit's XML, as Jenkins, GitLab and others read it: a suite for each scenario and setup.
class JunitReporter final : public Reporter {
 public:
  explicit JunitReporter(std::ostream& out) : out_(out) {}

  void run_finished(const RunResult& run) override {
    Counts all;
    std::string suites;
    const bool several_hosts = run.has_several_hosts();
    for (const ScenarioResult& scenario : run.scenarios) suites += suite(scenario, several_hosts, all);
    if (run.interrupted) {
      Counts one;
      one.add(Verdict::error);
      all.add(one);
      suites += fmt::format("  <testsuite name=\"interrupted\" {} time=\"0\">\n{}  </testsuite>\n",
                            one.attributes(),
                            befallen("interrupted", "the run ends by itself", "interrupted",
                                     "interrupted: the report counts only what had ended by then\n"));
    }
    out_ << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         << fmt::format("<testsuites name=\"plumbline\" {} time=\"{}\">\n", all.attributes(),
                        seconds(run.duration_ms))
         << suites << "</testsuites>\n"
         << std::flush;
  }

 private:
  static std::string suite(const ScenarioResult& scenario, bool several_hosts, Counts& all) {
    const std::string name = suite_name(scenario, several_hosts);
    Counts counts;
    std::string cases;
    for (const CheckResult& check : scenario.checks) {
      counts.add(check.verdict);
      cases += test_case(name, check);
    }
    if (scenario.error) {
      counts.add(Verdict::error);
      cases += befallen(name, "the scenario can be run", scenario.error->message, explain(*scenario.error));
    }
    all.add(counts);
    const std::string host =
        scenario.host.empty() ? "" : fmt::format(" hostname=\"{}\"", markup(scenario.host));
    std::string text = fmt::format(
        "  <testsuite name=\"{}\" {} time=\"{}\"{}>\n    <properties>{}{}</properties>\n", markup(name),
        counts.attributes(), seconds(scenario.build_ms + scenario.checks_ms + scenario.teardown_ms), host,
        property("spec", scenario.file), property("about", scenario.about));
    return text + cases + "  </testsuite>\n";
  }

  std::ostream& out_;
};

}  // namespace

Format junit_format() {
  return {"junit", "JUnit's XML: a suite for each scenario and setup; for Jenkins, GitLab and others",
          [](std::ostream& out, const ConsoleOptions&) -> std::unique_ptr<Reporter> {
            return std::make_unique<JunitReporter>(out);
          }};
}

}  // namespace plumbline::engine
