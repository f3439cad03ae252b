#include "checks/silent.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/traffic/capture/capture.hpp"

namespace plumbline::checks {
namespace {

using engine::FrameWatch;
using engine::Judgement;
using engine::Verdict;
using engine::WatchRecord;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["dev", "filter", "control"],
  "additionalProperties": false,
  "properties": {
    "in": {"$ref": "#/$defs/name", "description": "The node; the host by default."},
    "dev": {"$ref": "#/$defs/interface"},
    "filter": {"type": "string", "minLength": 1, "description": "What must not show there, in the language of pcap-filter(7)."},
    "control": {"$ref": "#/$defs/endpoint", "description": "NODE:INTERFACE where the same filter must match at least once."}
  }
})";

std::string frames(std::uint64_t count) {
  return fmt::format("{} frame{}", count, count == 1 ? "" : "s");
}

class Silent final : public engine::Check {
 public:
  Silent(FrameWatch place, FrameWatch control) : place_(std::move(place)), control_(std::move(control)) {}

  std::vector<FrameWatch> watches() const override { return {place_, control_}; }
  bool judged_last() const override { return true; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    WatchRecord seen = stage.watched(place_);
    const WatchRecord seen_at_control = stage.watched(control_);
    for (const WatchRecord* record : {static_cast<const WatchRecord*>(&seen), &seen_at_control}) {
      if (record->missing) throw Error(record->problem, ErrorKind::usage);
    }
    engine::Outcome outcome;
    outcome.judgement = judge_silent(place_, seen, control_, seen_at_control);
    if (outcome.judgement.verdict == Verdict::fail) outcome.question = question(stage, seen);
    outcome.journey.sightings = std::move(seen.first);
    co_return outcome;
  }

 private:
  /// The first frame is what is to be explained.
  proof::Case question(const engine::Stage& stage, const WatchRecord& seen) const {
    proof::Case question;
    question.promise = proof::Case::Promise::silent;
    question.host = place_.node;
    question.via = place_.interface;
    question.journey.sightings = seen.first;
    if (seen.first.empty() || !seen.first.front().packet.ip) return question;
    const traffic::IpHeader& header = *seen.first.front().packet.ip;
    question.to = header.destination;
    if (const network::Node* owner = stage.topology().owner_of(header.source)) question.from = owner->name;
    return question;
  }

  FrameWatch place_, control_;
};

std::string read_filter(const spec::Value& arguments) {
  const spec::Value& value = arguments.require("filter", "silent");
  const std::string& filter = value.as_text("filter");
  // An empty one matches everything, ARP and neighbour discovery too, which no interface is without.
  if (filter.find_first_not_of(" \t\n") == std::string::npos) value.fail("'filter' is empty");
  if (const auto problem = traffic::filter_problem(filter, traffic::LinkType::ethernet)) {
    value.fail(fmt::format("'filter' is no pcap-filter expression: {}", *problem));
  }
  return filter;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"in", "dev", "filter", "control"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("silent");
  arguments.allow_keys("silent", keys);
  FrameWatch place;
  place.node = engine::read_guard(arguments, "in", intended);
  place.interface = arguments.require("dev", "silent").as_name("dev", 15);
  place.filter = read_filter(arguments);
  const network::Endpoint end =
      engine::read_endpoint(arguments.require("control", "silent"), "control", intended);
  const FrameWatch control{end.node, end.interface, place.filter};
  if (control == place) arguments.find("control")->fail("the control must be another interface");
  auto check = std::make_unique<Silent>(place, control);
  engine::CheckResult& promise = check->promise;
  promise.type = "silent";
  promise.from = place.node;
  promise.where = item.mark.to_string();
  promise.id = fmt::format("silent {} {}", place.place(), place.filter);
  promise.expected = fmt::format("no frame on {} matches '{}' during the whole scenario, while some on {} do",
                                 place.place(), place.filter, control.place());
  std::vector<std::unique_ptr<engine::Check>> checks;
  checks.push_back(std::move(check));
  return checks;
}

/// What the taps missed. Absent: nothing.
std::optional<std::string> gap(const FrameWatch& place, const WatchRecord& seen, const FrameWatch& control,
                               const WatchRecord& seen_at_control) {
  if (!seen.problem.empty()) return seen.problem;
  if (seen.lost != 0)
    return fmt::format("the tap on {} lost {} that may have matched", place.place(), frames(seen.lost));
  if (seen_at_control.frames != 0) return std::nullopt;
  const std::string none = fmt::format("no frame matched at the control {} either", control.place());
  return seen_at_control.problem.empty() ? none : fmt::format("{}: {}", none, seen_at_control.problem);
}

}  // namespace

Judgement judge_silent(const FrameWatch& place, const WatchRecord& seen, const FrameWatch& control,
                       const WatchRecord& seen_at_control) {
  if (seen.frames != 0) {
    const std::string first = seen.first.empty()
                                  ? std::string()
                                  : fmt::format("; first {}", traffic::to_text(seen.first.front().packet));
    return {Verdict::fail, fmt::format("{} on {} matched{}", frames(seen.frames), place.place(), first)};
  }
  const std::string silence = fmt::format("no frame on {} matched", place.place());
  if (const auto missing = gap(place, seen, control, seen_at_control))
    return {Verdict::inconclusive, fmt::format("{}, but {}", silence, *missing)};
  return {Verdict::pass,
          fmt::format("{}; {} on {} did", silence, frames(seen_at_control.frames), control.place())};
}

engine::CheckKind silent_kind() {
  return {"silent", "An interface shows no frame that a filter matches, during the whole scenario.", kSchema,
          parse};
}

}  // namespace plumbline::checks
