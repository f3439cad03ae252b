#include "checks/hooks.hpp"

#include <fmt/format.h>

#include <array>

#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/check/kernel_view.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using proof::Hook;
using proof::Leg;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to", "expect"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/targets"},
    "with": {"$ref": "#/$defs/services"},
    "family": {"$ref": "#/$defs/families"},
    "in": {"$ref": "#/$defs/name", "description": "The node whose hooks are meant; the host by default."},
    "expect": {"description": "The hooks that the probe passes there, in order; [] for none.", "anyOf": [
      {"enum": ["prerouting", "input", "forward", "output", "postrouting"]},
      {"type": "array", "items": {"enum": ["prerouting", "input", "forward", "output", "postrouting"]}}]},
    "reply": {"description": "The same of its answer; by default whatever they are.", "anyOf": [
      {"enum": ["prerouting", "input", "forward", "output", "postrouting"]},
      {"type": "array", "items": {"enum": ["prerouting", "input", "forward", "output", "postrouting"]}}]}
  }
})";

class Hooks final : public engine::Check {
 public:
  Hooks(const engine::Pairing& pairing, HooksPromise meant)
      : with_(pairing.with), family_(pairing.family), meant_(std::move(meant)) {}

  std::vector<engine::Need> needs() const override { return {{promise.from, promise.to, with_}}; }
  std::vector<std::string> traced() const override { return {meant_.node}; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    engine::Target to = stage.target(promise.from, promise.to, family_);
    engine::Evidence evidence = co_await stage.exchange(promise.from, std::move(to), with_);
    engine::Outcome outcome;
    outcome.judgement = judge_hooks(meant_, evidence);
    if (outcome.judgement.verdict != Verdict::pass)
      outcome.question = engine::case_of(evidence, proof::Case::Promise::reach);
    outcome.journey = std::move(evidence.journey);
    outcome.kernel = std::move(evidence.kernel);
    co_return outcome;
  }

 private:
  engine::Service with_;
  IpFamily family_;
  HooksPromise meant_;
};

std::vector<Hook> read_hooks(const spec::Value& value, std::string_view key) {
  constexpr std::array<std::string_view, 5> words{"prerouting", "input", "forward", "output", "postrouting"};
  constexpr std::array hooks{Hook::prerouting, Hook::input, Hook::forward, Hook::output, Hook::postrouting};
  std::vector<Hook> read;
  for (const spec::Value& item : value.as_list()) read.push_back(hooks[item.as_word(key, words)]);
  return read;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "with", "family", "in", "expect", "reply"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("hooks");
  arguments.allow_keys("hooks", keys);
  HooksPromise meant;
  meant.node = engine::read_guard(arguments, "in", intended);
  meant.expect = read_hooks(arguments.require("expect", "hooks"), "expect");
  if (const spec::Value* reply = arguments.find("reply")) meant.reply = read_hooks(*reply, "reply");
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Pairing& each : engine::read_pairings(arguments, intended)) {
    auto check = std::make_unique<Hooks>(each, meant);
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    promise.id = fmt::format("hooks {} -> {} {} in {}{}", promise.from, promise.to, promise.with, meant.node,
                             each.suffix());
    promise.expected = fmt::format("{} from {} to {} passes these hooks of {}: {}", each.what(), promise.from,
                                   promise.to, meant.node, proof::to_text(meant.expect));
    if (meant.reply) promise.expected += fmt::format("; its answer: {}", proof::to_text(*meant.reply));
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace

engine::Judgement judge_hooks(const HooksPromise& promise, const engine::Evidence& evidence) {
  const std::string outcome = traffic::to_text(evidence.outcome);
  if (const auto gap = engine::unreported(evidence, promise.node)) {
    return {Verdict::inconclusive, fmt::format("{}, but {}", outcome, *gap)};
  }
  const auto there = evidence.kernel.hooks(promise.node, Leg::forward);
  const auto back = evidence.kernel.hooks(promise.node, Leg::reply);
  const std::string passed = fmt::format("hooks of {} passed: {}; by the answer: {}", promise.node,
                                         proof::to_text(there), proof::to_text(back));
  if (there != promise.expect || (promise.reply && back != *promise.reply)) {
    return {Verdict::fail, fmt::format("{}; {}; {}", passed, outcome, evidence.furthest())};
  }
  // No hook at all is what a probe leaves as well that was lost before, or never sent.
  const auto absent = engine::never_came(evidence, promise.node);
  if (absent && there.empty() && back.empty()) {
    return {Verdict::inconclusive,
            fmt::format("{}; {}, so no hook could see it; {}", outcome, *absent, evidence.furthest())};
  }
  return {Verdict::pass, passed};
}

engine::CheckKind hooks_kind() {
  return {"hooks", "A probe passes these netfilter hooks of a node, by the report of its kernel.", kSchema,
          parse};
}

}  // namespace plumbline::checks
