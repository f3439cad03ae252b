#include <boost/json.hpp>
#include <cmath>
#include <cstdint>

#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/json_value.hpp"

// Results are taken apart by structured bindings: whoever adds a member to one is told by the compiler that
// it is missing here, and by the round-trip tests that it is missing in json_read.cpp.
namespace plumbline::engine {
namespace {

namespace json = boost::json;

json::value text_or_null(std::string_view value) {
  return value.empty() ? json::value(nullptr) : json_text(value);
}

/// Milliseconds to the microsecond: more digits would only be noise.
json::value milliseconds(double value) {
  return std::isfinite(value) ? std::round(value * 1000) / 1000 : 0.0;
}

json::array texts(const std::vector<std::string>& lines) {
  json::array array;
  for (const std::string& line : lines) array.push_back(json_text(line));
  return array;
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

json::value to_json(const JourneyStep& step) {
  const auto& [t_us, node, interface, direction, packet, leg, translated, note, frame] = step;
  json::object object{{"t_us", t_us},
                      {"node", json_text(node)},
                      {"interface", json_text(interface)},
                      {"direction", json_text(direction)},
                      {"packet", json_text(packet)}};
  if (!leg.empty()) object["leg"] = json_text(leg);
  if (!translated.empty()) object["translated"] = json_text(translated);
  if (!note.empty()) object["note"] = json_text(note);
  if (!frame.bytes.empty()) {
    object["link_type"] = frame.link_type;
    object["length"] = frame.length;
    object["bytes"] = hex(frame.bytes);
  }
  return object;
}

json::value to_json(const KernelEvent& event) {
  const auto& [node, table, chain, rule, handle, comment, packets, verdict, drop_reason, function, hook, leg,
               iif, oif, log_prefix, packet, after] = event;
  json::object object{{"node", json_text(node)},
                      {"table", json_text(table)},
                      {"chain", json_text(chain)},
                      {"rule", json_text(rule)}};
  const auto unless_empty = [&](const char* key, const std::string& value) {
    if (!value.empty()) object[key] = json_text(value);
  };
  if (handle != 0) object["handle"] = handle;
  unless_empty("comment", comment);
  if (packets) object["packets"] = *packets;
  unless_empty("verdict", verdict);
  unless_empty("drop_reason", drop_reason);
  unless_empty("function", function);
  unless_empty("hook", hook);
  unless_empty("leg", leg);
  unless_empty("iif", iif);
  unless_empty("oif", oif);
  if (log_prefix) object["log_prefix"] = json_text(*log_prefix);
  unless_empty("packet", packet);
  object["after"] = after;
  return object;
}

json::value to_json(const Tracked& tracked) {
  const auto& [node, original, reply, answered] = tracked;
  return json::object{{"node", json_text(node)},
                      {"original", json_text(original)},
                      {"reply", json_text(reply)},
                      {"answered", answered}};
}

json::value to_json(const std::optional<Control>& control) {
  if (!control) return nullptr;
  const auto& [from, to, with, verdict, observed] = *control;
  return json::object{{"from", json_text(from)},
                      {"to", json_text(to)},
                      {"with", json_text(with)},
                      {"verdict", to_text(verdict)},
                      {"observed", json_text(observed)}};
}

json::value to_json(const CheckResult& check);
json::value to_json(const ChangeResult& change);
json::value to_json(const Difference& difference);
json::value to_json(const BaselineChange& change);
json::value to_json(const DrawnInterface& interface);
json::value to_json(const DrawnNode& node);
json::value to_json(const MatrixReason& reason);

template <class Item>
json::array array_of(const std::vector<Item>& items) {
  json::array array;
  array.reserve(items.size());
  for (const Item& item : items) array.push_back(to_json(item));
  return array;
}

json::value to_json(const CheckResult& check) {
  const auto& [id, type, from, to, with, family, where, verdict, expected, observed, duration_ms, journey,
               kernel, incomplete, frames_lost, conntrack, control, stopped, causes, trace] = check;
  json::object object{{"id", json_text(id)},
                      {"type", json_text(type)},
                      {"from", json_text(from)},
                      {"to", json_text(to)},
                      {"with", json_text(with)},
                      {"family", text_or_null(family)},
                      {"where", json_text(where)},
                      {"verdict", to_text(verdict)},
                      {"expected", json_text(expected)},
                      {"observed", json_text(observed)},
                      {"duration_ms", milliseconds(duration_ms)},
                      {"journey", array_of(journey)},
                      {"kernel", array_of(kernel)},
                      {"incomplete", texts(incomplete)},
                      {"conntrack", array_of(conntrack)},
                      {"control", to_json(control)},
                      {"stopped", text_or_null(stopped)},
                      {"cause", causes.empty() ? json::value(nullptr) : to_json(causes.front())},
                      {"causes", array_of(causes)},
                      {"trace", text_or_null(trace)}};
  if (frames_lost) object["frames_lost"] = true;
  if (verdict == Verdict::error)
    object["error"] = {{"message", json_text(observed)}, {"where", json_text(where)}};
  return object;
}

json::value to_json(const ChangeResult& change) {
  const auto& [about, where, before, made, duration_ms] = change;
  return json::object{{"about", json_text(about)},
                      {"where", json_text(where)},
                      {"before", before},
                      {"made", made},
                      {"duration_ms", milliseconds(duration_ms)}};
}

json::value to_json(const DrawnInterface& interface) {
  const auto& [name, kind, addresses, master, peer, up] = interface;
  json::object object{
      {"name", json_text(name)}, {"kind", json_text(kind)}, {"addresses", texts(addresses)}, {"up", up}};
  if (!master.empty()) object["master"] = json_text(master);
  if (!peer.empty()) object["peer"] = json_text(peer);
  return object;
}

json::value to_json(const DrawnNode& node) {
  const auto& [name, role, interfaces] = node;
  return json::object{
      {"name", json_text(name)}, {"role", json_text(role)}, {"interfaces", array_of(interfaces)}};
}

json::value to_json(const MatrixReason& reason) {
  const auto& [text, cells] = reason;
  json::array places;
  for (const auto& [row, column] : cells) places.push_back(json::array{row, column});
  return json::object{{"text", json_text(text)}, {"cells", std::move(places)}};
}

json::value to_json(const ScenarioError& error) {
  const auto& [message, where, remedy, kind] = error;
  json::object object{{"message", json_text(message)}, {"where", json_text(where)}, {"kind", to_text(kind)}};
  if (!remedy.empty()) object["remedy"] = json_text(remedy);
  return object;
}

json::value to_json(const Summary& summary) {
  const auto& [passed, failed, inconclusive, skipped, errors] = summary;
  return json::object{{"passed", passed},
                      {"failed", failed},
                      {"inconclusive", inconclusive},
                      {"skipped", skipped},
                      {"errors", errors}};
}

json::value to_json(const Difference& difference) {
  const auto& [scenario, setup, check, repetitions, host] = difference;
  json::array verdicts;
  for (const auto& [verdict, which] : repetitions) {
    verdicts.push_back(json::object{{"verdict", to_text(verdict)},
                                    {"repetitions", json::array(which.begin(), which.end())}});
  }
  json::object object{{"scenario", json_text(scenario)},
                      {"setup", json_text(setup)},
                      {"check", json_text(check)},
                      {"verdicts", std::move(verdicts)}};
  if (!host.empty()) object["host"] = json_text(host);
  return object;
}

json::value to_json(const BaselineChange& change) {
  const auto& [host, scenario, setup, check, was, is, gained, lost] = change;
  const auto verdict = [](const std::optional<Verdict>& of) {
    return of ? json::value(to_text(*of)) : json::value(nullptr);
  };
  json::object object{{"scenario", json_text(scenario)},
                      {"setup", json_text(setup)},
                      {"check", json_text(check)},
                      {"was", verdict(was)},
                      {"is", verdict(is)},
                      {"gained", texts(gained)},
                      {"lost", texts(lost)}};
  if (!host.empty()) object["host"] = json_text(host);
  return object;
}

}  // namespace

json::value to_json(const Cause& cause) {
  const auto& [code, summary, evidence, fix, proven] = cause;
  return json::object{{"code", json_text(code)},
                      {"summary", json_text(summary)},
                      {"evidence", texts(evidence)},
                      {"fix", json_text(fix)},
                      {"proven", proven}};
}

json::value to_json(const Matrix& matrix) {
  const auto& [with, family, from, to, cells, reasons] = matrix;
  json::object object{{"with", json_text(with)},
                      {"family", json_text(family)},
                      {"from", texts(from)},
                      {"to", texts(to)},
                      {"cells", texts(cells)}};
  if (!reasons.empty()) object["reasons"] = array_of(reasons);
  return object;
}

json::value to_json(const ScenarioResult& scenario) {
  const auto& [name, file, setup, about, host, repetition, interrupted, build_ms, checks_ms, teardown_ms,
               checks, changes, network, matrix, error] = scenario;
  json::object object{{"name", json_text(name)},
                      {"file", json_text(file)},
                      {"setup", json_text(setup)},
                      {"about", json_text(about)},
                      {"build_ms", milliseconds(build_ms)},
                      {"checks_ms", milliseconds(checks_ms)},
                      {"teardown_ms", milliseconds(teardown_ms)},
                      {"checks", array_of(checks)},
                      {"changes", array_of(changes)}};
  if (!host.empty()) object["host"] = json_text(host);
  if (repetition != 0) object["repetition"] = repetition;
  if (interrupted) object["interrupted"] = true;
  if (!network.empty()) object["network"] = array_of(network);
  if (!matrix.empty()) object["matrix"] = array_of(matrix);
  if (error) object["error"] = to_json(*error);
  return object;
}

json::array across_hosts_to_json(const RunResult& run) {
  json::array array;
  for (const auto& [scenario, setup, check, hosts] : run.across_hosts()) {
    json::object verdicts;
    for (const auto& [verdict, which] : hosts) verdicts[to_text(verdict)] = texts(which);
    array.push_back(json::object{{"scenario", json_text(scenario)},
                                 {"setup", json_text(setup)},
                                 {"check", json_text(check)},
                                 {"verdicts", std::move(verdicts)}});
  }
  return array;
}

json::value to_json(const Baseline& baseline) {
  const auto& [name, started, compared, incomplete, changes] = baseline;
  json::object object{{"name", json_text(name)},
                      {"compared", compared},
                      {"incomplete", incomplete},
                      {"changes", array_of(changes)}};
  if (!started.empty()) object["started"] = json_text(started);
  return object;
}

json::value to_json(const RunResult& run) {
  const auto& [scenarios, started, duration_ms, interrupted, repetitions, baseline] = run;
  json::object object{{"schema", 1},
                      {"plumbline", PLUMBLINE_VERSION},
                      {"summary", to_json(run.summary())},
                      {"duration_ms", milliseconds(duration_ms)},
                      {"interrupted", interrupted},
                      {"repetitions", repetitions},
                      {"differing", array_of(run.differing())},
                      {"scenarios", array_of(scenarios)}};
  if (!started.empty()) object["started"] = json_text(started);
  if (json::array differ = across_hosts_to_json(run); !differ.empty())
    object["across_hosts"] = std::move(differ);
  if (baseline) object["baseline"] = to_json(*baseline);
  return object;
}

const char* to_text(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::setup:
      return "setup";
    case ErrorKind::environment:
      return "environment";
    case ErrorKind::internal:
      break;
  }
  return "internal";
}

}  // namespace plumbline::engine
