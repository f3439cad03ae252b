#include "checks/reach.hpp"

#include <fmt/format.h>

#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/targets"},
    "with": {"$ref": "#/$defs/services"},
    "family": {"$ref": "#/$defs/families"}
  }
})";

class Reach final : public engine::Check {
 public:
  explicit Reach(const engine::Pairing& pairing) : with_(pairing.with), family_(pairing.family) {}

  std::vector<engine::Need> needs() const override { return {{promise.from, promise.to, with_}}; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    engine::Target to = stage.target(promise.from, promise.to, family_);
    engine::Evidence evidence = co_await stage.exchange(promise.from, std::move(to), with_);
    engine::Outcome outcome;
    outcome.judgement = judge_reach(evidence);
    if (outcome.judgement.verdict != Verdict::pass) {
      outcome.question = engine::case_of(evidence, proof::Case::Promise::reach);
    }
    outcome.journey = std::move(evidence.journey);
    outcome.kernel = std::move(evidence.kernel);
    co_return outcome;
  }

 private:
  engine::Service with_;
  IpFamily family_;
};

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "with", "family"};
  item.arguments.as_mapping("reach");
  item.arguments.allow_keys("reach", keys);
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Pairing& each : engine::read_pairings(item.arguments, intended)) {
    auto check = std::make_unique<Reach>(each);
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    promise.id = fmt::format("reach {} -> {} {}{}", promise.from, promise.to, promise.with, each.suffix());
    promise.expected =
        fmt::format("{} from {} arrives at {} and is answered", each.what(), promise.from, promise.to);
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace

engine::Judgement judge_reach(const engine::Evidence& evidence) {
  const std::string outcome = traffic::to_text(evidence.outcome);
  if (!evidence.answered()) return {Verdict::fail, fmt::format("{}; {}", outcome, evidence.furthest())};
  if (const auto blind = evidence.blind()) {
    return {Verdict::inconclusive,
            fmt::format("{}, but {}, so the arrival at {} is not proven", outcome, *blind, evidence.to.text)};
  }
  const std::string& node = evidence.to.node;
  const proof::Sighting* arrival = node.empty() ? nullptr : evidence.journey.arrived(node);
  if (!node.empty() && arrival == nullptr) {
    return {Verdict::fail, fmt::format("{}, but not by {}, where the probe never arrived; {}", outcome, node,
                                       evidence.furthest())};
  }
  if (const auto wrong = engine::wrong_answerer(evidence.journey, evidence.to)) {
    return {Verdict::fail, fmt::format("{}, but {}", outcome, *wrong)};
  }
  // Nobody else knows the nonce, so an answer that holds it proves the arrival where no tap can be.
  if (arrival == nullptr) return {Verdict::pass, fmt::format("{}, with the probe's own bytes", outcome)};
  return {Verdict::pass, fmt::format("{}; arrived at {}", outcome, engine::place(*arrival))};
}

engine::CheckKind reach_kind() {
  return {"reach", "A probe arrives at its target and is answered.", kSchema, parse};
}

}  // namespace plumbline::checks
