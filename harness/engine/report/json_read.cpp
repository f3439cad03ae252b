#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstdint>

#include "harness/engine/report/json_object.hpp"
#include "harness/engine/report/json_value.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;

using namespace reading;

constexpr std::array<std::string_view, 2> kFamilies{"ipv4", "ipv6"};
constexpr std::array<std::string_view, 3> kRoles{"host", "container", "world"};
constexpr std::array<std::string_view, 4> kStepLegs{"forward", "reply", "error", "neighbour"};
constexpr std::array<std::string_view, 3> kEventLegs{"forward", "reply", "error"};
constexpr std::array<std::string_view, 10> kHooks{
    "prerouting",        "input",        "forward",        "output",        "postrouting",
    "bridge prerouting", "bridge input", "bridge forward", "bridge output", "bridge postrouting"};

std::vector<std::uint8_t> bytes_at(const Place& place, const json::value& value) {
  const std::string text = text_at(place, value);
  const auto wrong = text.find_first_not_of("0123456789abcdef");
  if (text.empty() || text.size() % 2 != 0 || wrong != std::string::npos)
    unexpected(place, "pairs of hexadecimal digits", value);
  std::vector<std::uint8_t> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, bytes[i], 16);
  return bytes;
}

JourneyStep read_step(const Place& place, const json::value& value) {
  Object object(place, value);
  JourneyStep step;
  step.t_us = integer_at<std::int64_t>(object.at("t_us"), object.require("t_us"), "microseconds");
  step.node = object.text("node");
  step.interface = object.text("interface");
  step.direction = object.text("direction");
  step.packet = object.text("packet");
  step.leg = object.optional_word("leg", kStepLegs);
  step.translated = object.optional_text("translated");
  step.note = object.optional_text("note");
  if (auto bytes = object.optional("bytes", bytes_at)) {
    step.frame.bytes = std::move(*bytes);
    step.frame.length = object.count("length");
    step.frame.link_type = integer_at<std::uint16_t>(object.at("link_type"), object.require("link_type"),
                                                     "the number of a link type");
  }
  object.end();
  return step;
}

KernelEvent read_event(const Place& place, const json::value& value) {
  Object object(place, value);
  KernelEvent event;
  event.node = object.text("node");
  event.table = object.text("table");
  event.chain = object.text("chain");
  event.rule = object.text("rule");
  event.handle = object.optional("handle", count_at).value_or(0);
  event.comment = object.optional_text("comment");
  event.packets = object.optional("packets", count_at);
  event.verdict = object.optional_text("verdict");
  event.drop_reason = object.optional_text("drop_reason");
  event.function = object.optional_text("function");
  event.hook = object.optional_word("hook", kHooks);
  event.leg = object.optional_word("leg", kEventLegs);
  event.iif = object.optional_text("iif");
  event.oif = object.optional_text("oif");
  event.log_prefix = object.optional("log_prefix", text_at);
  event.packet = object.optional_text("packet");
  event.after = object.count("after");
  object.end();
  return event;
}

Tracked read_tracked(const Place& place, const json::value& value) {
  Object object(place, value);
  Tracked tracked;
  tracked.node = object.text("node");
  tracked.original = object.text("original");
  tracked.reply = object.text("reply");
  tracked.answered = object.boolean("answered");
  object.end();
  return tracked;
}

Control read_control(const Place& place, const json::value& value) {
  Object object(place, value);
  Control control;
  control.from = object.text("from");
  control.to = object.text("to");
  control.with = object.text("with");
  control.verdict = object.verdict("verdict");
  control.observed = object.text("observed");
  object.end();
  return control;
}

Cause read_cause(const Place& place, const json::value& value) {
  Object object(place, value);
  Cause cause;
  cause.code = object.text("code");
  cause.summary = object.text("summary");
  cause.evidence = object.array("evidence", text_at);
  cause.fix = object.text("fix");
  cause.proven = object.boolean("proven");
  object.end();
  return cause;
}

/// It repeats what the check itself says: for readers that look for errors alone.
void read_check_error(Object& check) {
  Object error(check.at("error"), check.require("error"));
  error.text("message");
  error.text("where");
  error.end();
}

CheckResult read_check(const Place& place, const json::value& value) {
  Object object(place, value);
  CheckResult check;
  check.id = object.text("id");
  check.type = object.text("type");
  check.from = object.text("from");
  check.to = object.text("to");
  check.with = object.text("with");
  check.family = object.nullable_word("family", kFamilies);
  check.where = object.text("where");
  check.verdict = object.verdict("verdict");
  check.expected = object.text("expected");
  check.observed = object.text("observed");
  check.duration_ms = object.milliseconds("duration_ms");
  check.journey = object.array("journey", read_step);
  check.kernel = object.array("kernel", read_event);
  check.incomplete = object.array("incomplete", text_at);
  check.frames_lost = object.optional("frames_lost", boolean_at).value_or(false);
  check.conntrack = object.array("conntrack", read_tracked);
  check.control = object.nullable("control", read_control);
  check.stopped = object.nullable_text("stopped");
  object.nullable("cause", read_cause);  // the first of:
  check.causes = object.array("causes", read_cause);
  check.trace = object.nullable_text("trace");
  if (check.verdict == Verdict::error) read_check_error(object);
  object.end();
  return check;
}

ChangeResult read_change(const Place& place, const json::value& value) {
  Object object(place, value);
  ChangeResult change;
  change.about = object.text("about");
  change.where = object.text("where");
  change.before = object.count("before");
  change.made = object.boolean("made");
  change.duration_ms = object.milliseconds("duration_ms");
  object.end();
  return change;
}

DrawnInterface read_drawn_interface(const Place& place, const json::value& value) {
  Object object(place, value);
  DrawnInterface interface;
  interface.name = object.text("name");
  interface.kind = object.text("kind");
  interface.addresses = object.array("addresses", text_at);
  interface.master = object.optional_text("master");
  interface.peer = object.optional_text("peer");
  interface.up = object.boolean("up");
  object.end();
  return interface;
}

DrawnNode read_drawn_node(const Place& place, const json::value& value) {
  Object object(place, value);
  DrawnNode node;
  node.name = object.text("name");
  node.role = object.word("role", kRoles);
  node.interfaces = object.array("interfaces", read_drawn_interface);
  object.end();
  return node;
}

std::pair<std::size_t, std::size_t> read_cell(const Place& place, const json::value& value) {
  const json::array& pair = array_at(place, value);
  if (pair.size() != 2) unexpected(place, "row and column", value);
  return {count_at(place, pair[0]), count_at(place, pair[1])};
}

MatrixReason read_matrix_reason(const Place& place, const json::value& value) {
  Object object(place, value);
  MatrixReason reason;
  reason.text = object.text("text");
  reason.cells = object.array("cells", read_cell);
  object.end();
  return reason;
}

/// A text a row, a character a column, of signs that there are; reasons of cells that there are.
void check_shape(const Place& place, const Matrix& matrix) {
  const bool rows = matrix.cells.size() == matrix.from.size();
  const auto is_row = [&](const std::string& row) {
    return row.size() == matrix.to.size() && row.find_first_not_of(".X?!- ") == std::string::npos;
  };
  if (!rows || !std::ranges::all_of(matrix.cells, is_row))
    fail(place, "its cells are not a row for each of `from`, with a sign for each of `to`");
  for (const MatrixReason& reason : matrix.reasons) {
    for (const auto& [row, column] : reason.cells) {
      if (row >= matrix.from.size() || column >= matrix.to.size()) fail(place, "a reason has no such cell");
    }
  }
}

Matrix read_matrix(const Place& place, const json::value& value) {
  Object object(place, value);
  Matrix matrix;
  matrix.with = object.text("with");
  matrix.family = object.word("family", kFamilies);
  matrix.from = object.array("from", text_at);
  matrix.to = object.array("to", text_at);
  matrix.cells = object.array("cells", text_at);
  if (object.find("reasons") != nullptr) matrix.reasons = object.array("reasons", read_matrix_reason);
  object.end();
  check_shape(place, matrix);
  return matrix;
}

ScenarioError read_error(const Place& place, const json::value& value) {
  Object object(place, value);
  ScenarioError error;
  error.message = object.text("message");
  error.where = object.text("where");
  error.remedy = object.optional_text("remedy");
  error.kind = kind_at(object.at("kind"), object.require("kind"));
  object.end();
  return error;
}

std::size_t read_repetition(const Place& place, const json::value& value) {
  const std::size_t repetition = count_at(place, value);
  if (repetition == 0) unexpected(place, "a number from 1", value);
  return repetition;
}

ScenarioResult read_scenario_at(const Place& place, const json::value& value) {
  Object object(place, value);
  ScenarioResult scenario;
  scenario.name = object.text("name");
  scenario.file = object.text("file");
  scenario.setup = object.text("setup");
  scenario.about = object.text("about");
  scenario.host = object.optional_text("host");
  scenario.repetition = object.optional("repetition", read_repetition).value_or(0);
  scenario.interrupted = object.optional("interrupted", boolean_at).value_or(false);
  scenario.build_ms = object.milliseconds("build_ms");
  scenario.checks_ms = object.milliseconds("checks_ms");
  scenario.teardown_ms = object.milliseconds("teardown_ms");
  scenario.checks = object.array("checks", read_check);
  scenario.changes = object.array("changes", read_change);
  if (object.find("network") != nullptr) scenario.network = object.array("network", read_drawn_node);
  if (object.find("matrix") != nullptr) scenario.matrix = object.array("matrix", read_matrix);
  scenario.error = object.optional("error", read_error);
  object.end();
  return scenario;
}

Summary read_summary(const Place& place, const json::value& value) {
  Object object(place, value);
  Summary summary;
  summary.passed = object.count("passed");
  summary.failed = object.count("failed");
  summary.inconclusive = object.count("inconclusive");
  summary.skipped = object.count("skipped");
  summary.errors = object.count("errors");
  object.end();
  return summary;
}

std::pair<Verdict, std::vector<std::size_t>> read_verdict_with_repetitions(const Place& place,
                                                                           const json::value& value) {
  Object object(place, value);
  std::pair<Verdict, std::vector<std::size_t>> verdict{object.verdict("verdict"), {}};
  verdict.second = object.array("repetitions", read_repetition);
  object.end();
  return verdict;
}

Difference read_difference(const Place& place, const json::value& value) {
  Object object(place, value);
  Difference difference;
  difference.scenario = object.text("scenario");
  difference.setup = object.text("setup");
  difference.check = object.text("check");
  for (auto& verdict : object.array("verdicts", read_verdict_with_repetitions)) {
    difference.repetitions.insert(std::move(verdict));
  }
  difference.host = object.optional_text("host");
  object.end();
  return difference;
}

HostDifference read_host_difference(const Place& place, const json::value& value) {
  Object object(place, value);
  HostDifference difference;
  difference.scenario = object.text("scenario");
  difference.setup = object.text("setup");
  difference.check = object.text("check");
  const Place at = object.at("verdicts");
  Object verdicts(at, object.require("verdicts"));
  for (const Verdict verdict : kVerdicts) {
    if (verdicts.find(to_text(verdict)) != nullptr)
      difference.hosts[verdict] = verdicts.array(to_text(verdict), text_at);
  }
  verdicts.end();
  object.end();
  return difference;
}

BaselineChange read_baseline_change(const Place& place, const json::value& value) {
  Object object(place, value);
  BaselineChange change;
  change.host = object.optional_text("host");
  change.scenario = object.text("scenario");
  change.setup = object.text("setup");
  change.check = object.text("check");
  change.was = object.nullable("was", verdict_at);
  change.is = object.nullable("is", verdict_at);
  if (!change.was && !change.is) fail(place, "a check that was not there and is not there has not changed");
  change.gained = object.array("gained", text_at);
  change.lost = object.array("lost", text_at);
  object.end();
  return change;
}

Baseline read_baseline(const Place& place, const json::value& value) {
  Object object(place, value);
  Baseline baseline;
  baseline.name = object.text("name");
  baseline.started = object.optional_text("started");
  baseline.compared = object.count("compared");
  baseline.incomplete = object.count("incomplete");
  baseline.changes = object.array("changes", read_baseline_change);
  object.end();
  return baseline;
}

/// Summary and differences follow from the scenarios. Where they say something else, somebody has changed one
/// and not the other, and neither can be trusted.
void check_what_follows(Object& object, const RunResult& run) {
  const Summary summary = read_summary(object.at("summary"), object.require("summary"));
  if (summary != run.summary()) fail(object.at("summary"), "it does not count what the scenarios hold");
  if (object.array("differing", read_difference) != run.differing())
    fail(object.at("differing"), "it does not follow from the scenarios");
  std::vector<HostDifference> across_hosts;
  if (object.find("across_hosts") != nullptr)
    across_hosts = object.array("across_hosts", read_host_difference);
  if (across_hosts != run.across_hosts())
    fail(object.at("across_hosts"), "it does not follow from the scenarios");
}

RunResult read_run(const json::value& value) {
  const Place document;
  Object object(document, value);
  if (const json::value& schema = object.require("schema"); schema != 1)
    unexpected(object.at("schema"), "1, the only one that this program reads", schema);
  object.text("plumbline");
  RunResult run;
  run.started = object.optional_text("started");
  run.duration_ms = object.milliseconds("duration_ms");
  run.interrupted = object.boolean("interrupted");
  run.repetitions = object.count("repetitions");
  run.scenarios = object.array("scenarios", read_scenario_at);
  run.baseline = object.optional("baseline", read_baseline);
  check_what_follows(object, run);
  object.end();
  return run;
}

/// "line 3, column 7" of the byte at `offset`.
std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fmt::format("line {}, column {}", line, before.size() - start + 1);
}

}  // namespace

ScenarioResult read_scenario(const json::value& value) {
  const Place document;
  return read_scenario_at(document, value);
}

Verdict read_verdict(const json::value& value) {
  const Place document;
  return verdict_at(document, value);
}

RunResult read_report(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code problem;
  const std::size_t consumed = parser.write(text.data(), text.size(), problem);
  if (!problem) parser.finish(problem);
  if (problem) {
    throw Error(fmt::format("{}: this is no JSON: {}", line_and_column(text, consumed), problem.message()),
                ErrorKind::usage);
  }
  return read_run(parser.release());
}

}  // namespace plumbline::engine
