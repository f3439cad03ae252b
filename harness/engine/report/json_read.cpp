#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "harness/engine/report/json_value.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;

/// Where a value stands. Told only when something is wrong with it, so it is put together only then.
struct Place {
  const Place* above = nullptr;
  std::string_view key;   ///< of an object; empty: an item of an array, or the whole document
  std::size_t index = 0;  ///< in an array
};

std::string path_of(const Place& place) {
  if (place.above == nullptr) return "";
  std::string text = path_of(*place.above);
  if (place.key.empty()) return text + fmt::format("[{}]", place.index);
  return text + (text.empty() ? "" : ".") + std::string(place.key);
}

[[noreturn]] void fail(const Place& place, const std::string& problem) {
  const std::string at = path_of(place);
  throw Error(fmt::format("{}{}{}", at, at.empty() ? "" : ": ", problem), ErrorKind::usage);
}

/// What is there, short enough for a message.
std::string found(const json::value& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  constexpr std::size_t kLongest = 60;
  std::string text = json::serialize(value);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

[[noreturn]] void unexpected(const Place& place, std::string_view expected, const json::value& value) {
  fail(place, fmt::format("expected {}, found {}", expected, found(value)));
}

const json::array& array_at(const Place& place, const json::value& value) {
  if (const json::array* array = value.if_array()) return *array;
  unexpected(place, "an array", value);
}

std::string text_at(const Place& place, const json::value& value) {
  const json::string* string = value.if_string();
  if (string == nullptr) unexpected(place, "a text", value);
  return {string->data(), string->size()};
}

template <class Number>
Number integer_at(const Place& place, const json::value& value, std::string_view expected) {
  boost::system::error_code problem;
  if (!value.is_int64() && !value.is_uint64()) unexpected(place, expected, value);
  const auto number = value.to_number<Number>(problem);
  if (problem) unexpected(place, expected, value);
  return number;
}

std::size_t count_at(const Place& place, const json::value& value) {
  return integer_at<std::size_t>(place, value, "a number of things");
}

/// One of `words`, which are the texts of an enumeration's values.
template <class Word>
Word word_at(const Place& place, const json::value& value, std::span<const Word> words) {
  const json::string* string = value.if_string();
  std::string expected;
  for (const Word word : words) {
    const std::string_view text = to_text(word);
    if (string != nullptr && *string == text) return word;
    expected += fmt::format("{}{}", expected.empty() ? "" : ", ", text);
  }
  unexpected(place, "one of " + expected, value);
}

Verdict verdict_at(const Place& place, const json::value& value) {
  static constexpr std::array kWords{Verdict::pass, Verdict::fail, Verdict::inconclusive, Verdict::skip,
                                     Verdict::error};
  return word_at<Verdict>(place, value, kWords);
}

ErrorKind kind_at(const Place& place, const json::value& value) {
  static constexpr std::array kWords{ErrorKind::usage, ErrorKind::setup, ErrorKind::environment,
                                     ErrorKind::internal};
  return word_at<ErrorKind>(place, value, kWords);
}

/// An object whose every key must be asked for.
class Object {
 public:
  Object(const Place& place, const json::value& value) : place_(place), object_(value.if_object()) {
    if (object_ == nullptr) unexpected(place, "an object", value);
  }

  std::string text(std::string_view key) { return text_at(at(key), require(key)); }
  std::string optional_text(std::string_view key) {
    const json::value* value = find(key);
    return value == nullptr || value->is_null() ? "" : text_at(at(key), *value);
  }
  bool boolean(std::string_view key) {
    const json::value& value = require(key);
    if (!value.is_bool()) unexpected(at(key), "true or false", value);
    return value.get_bool();
  }
  double milliseconds(std::string_view key) {
    const json::value& value = require(key);
    if (!value.is_number()) unexpected(at(key), "milliseconds", value);
    const auto number = value.to_number<double>();
    if (!(number >= 0)) unexpected(at(key), "milliseconds", value);
    return number;
  }
  std::size_t count(std::string_view key) { return count_at(at(key), require(key)); }
  Verdict verdict(std::string_view key) { return verdict_at(at(key), require(key)); }

  /// `read` turns a place and a value into an item.
  template <class Read>
  auto array(std::string_view key, Read read) {
    const Place here = at(key);
    const json::array& values = array_at(here, require(key));
    std::vector<decltype(read(here, values[0]))> items;
    items.reserve(values.size());
    for (const json::value& value : values) items.push_back(read(Place{&here, {}, items.size()}, value));
    return items;
  }
  /// Absent where the key is missing or null.
  template <class Read>
  auto optional(std::string_view key, Read read) {
    using Item = decltype(read(place_, std::declval<const json::value&>()));
    const json::value* value = find(key);
    return value == nullptr || value->is_null() ? std::optional<Item>{}
                                                : std::optional<Item>{read(at(key), *value)};
  }

  Place at(std::string_view key) const { return {&place_, key}; }
  const json::value& require(std::string_view key) {
    if (const json::value* value = find(key)) return *value;
    fail(place_, fmt::format("'{}' is missing", key));
  }
  const json::value* find(std::string_view key) {
    const json::value* value = object_->if_contains(key);
    if (value != nullptr) known_.push_back(key);
    return value;
  }
  /// To be called once all have been asked for.
  void end() const {
    if (known_.size() == object_->size()) return;
    for (const auto& member : *object_) {
      if (std::find(known_.begin(), known_.end(), std::string_view(member.key())) == known_.end())
        fail(place_, fmt::format("'{}' is not known in schema 1", std::string_view(member.key())));
    }
  }

 private:
  const Place& place_;
  const json::object* object_;
  std::vector<std::string_view> known_;
};

JourneyStep read_step(const Place& place, const json::value& value) {
  Object object(place, value);
  JourneyStep step;
  step.t_us = integer_at<std::int64_t>(object.at("t_us"), object.require("t_us"), "microseconds");
  step.node = object.text("node");
  step.interface = object.text("interface");
  step.direction = object.text("direction");
  step.packet = object.text("packet");
  step.leg = object.optional_text("leg");
  step.translated = object.optional_text("translated");
  step.note = object.optional_text("note");
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
  event.hook = object.optional_text("hook");
  event.leg = object.optional_text("leg");
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
  check.family = object.optional_text("family");
  check.where = object.text("where");
  check.verdict = object.verdict("verdict");
  check.expected = object.text("expected");
  check.observed = object.text("observed");
  check.duration_ms = object.milliseconds("duration_ms");
  check.journey = object.array("journey", read_step);
  check.kernel = object.array("kernel", read_event);
  check.incomplete = object.array("incomplete", text_at);
  check.conntrack = object.array("conntrack", read_tracked);
  check.control = object.optional("control", read_control);
  check.stopped = object.optional_text("stopped");
  object.optional("cause", read_cause);  // the first of:
  check.causes = object.array("causes", read_cause);
  check.trace = object.optional_text("trace");
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
  scenario.repetition = object.optional("repetition", read_repetition).value_or(0);
  scenario.build_ms = object.milliseconds("build_ms");
  scenario.checks_ms = object.milliseconds("checks_ms");
  scenario.teardown_ms = object.milliseconds("teardown_ms");
  scenario.checks = object.array("checks", read_check);
  scenario.changes = object.array("changes", read_change);
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
  object.end();
  return difference;
}

/// Summary and differences follow from the scenarios. Where they say something else, somebody has changed one
/// and not the other, and neither can be trusted.
void check_what_follows(Object& object, const RunResult& run) {
  const Summary summary = read_summary(object.at("summary"), object.require("summary"));
  if (summary != run.summary()) fail(object.at("summary"), "it does not count what the scenarios hold");
  if (object.array("differing", read_difference) != run.differing())
    fail(object.at("differing"), "it does not follow from the scenarios");
}

RunResult read_run(const json::value& value) {
  const Place document;
  Object object(document, value);
  if (const json::value& schema = object.require("schema"); schema != 1)
    unexpected(object.at("schema"), "1, the only one that this program reads", schema);
  object.text("plumbline");
  RunResult run;
  run.duration_ms = object.milliseconds("duration_ms");
  run.interrupted = object.boolean("interrupted");
  run.repetitions = object.count("repetitions");
  run.scenarios = object.array("scenarios", read_scenario_at);
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
