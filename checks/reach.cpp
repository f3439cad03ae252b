#include "checks/reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/witness/drop_trace.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to"],
  "additionalProperties": false,
  "if": {"required": ["size"]},
  "then": {"properties": {"with": {"not": {"anyOf": [
    {"type": "string", "pattern": "^tcp"}, {"type": "array", "contains": {"type": "string", "pattern": "^tcp"}}]}}}},
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/targets"},
    "with": {"$ref": "#/$defs/services"},
    "family": {"$ref": "#/$defs/families"},
    "times": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1, "description": "Probes, one after the other, that all must be answered."},
    "size": {"type": "integer", "minimum": 16, "maximum": 65000, "description": "Bytes of payload that ping and udp carry in one packet, which nobody may fragment."}
  }
})";

class Reach final : public engine::Check {
 public:
  Reach(const engine::Pairing& pairing, std::uint64_t times)
      : with_(pairing.with), family_(pairing.family), times_(times) {}

  std::vector<engine::Need> needs() const override { return {{promise.from, promise.to, with_}}; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    engine::Outcome outcome;
    engine::Evidence evidence;
    std::uint64_t sent = 0;
    do {
      engine::Target to = stage.target(promise.from, promise.to, family_);
      evidence = co_await stage.exchange(promise.from, std::move(to), with_);
      outcome.judgement = judge_reach(evidence);
      ++sent;
    } while (sent < times_ && outcome.judgement.verdict == Verdict::pass);
    if (times_ > 1) {
      const bool all = outcome.judgement.verdict == Verdict::pass;
      outcome.judgement.observed =
          fmt::format("{} {} of {}: {}", all ? "probes" : "probe", sent, times_, outcome.judgement.observed);
    }
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
  std::uint64_t times_;
};

/// Whether a DNS server that the world declares is asked, who answers questions and echoes nothing.
bool asks_dns(const engine::Pairing& pairing, const network::Topology& intended) {
  if (pairing.with.protocol != traffic::Protocol::udp) return false;
  const auto address = IpAddress::parse(pairing.to.text);
  const network::Node* node = address ? intended.owner_of(*address) : intended.find(pairing.to.text);
  return node != nullptr && std::ranges::any_of(node->services, [&](const network::Service& service) {
           return service.kind == network::Service::Kind::dns && service.port == pairing.with.port;
         });
}

/// What `size` asks `pairing` to send; 0 where it says nothing. Throws SpecError for what has no size.
std::size_t read_size(const spec::Value& arguments, const engine::Pairing& pairing,
                      const network::Topology& intended) {
  const spec::Value* size = arguments.find("size");
  if (size == nullptr) return 0;
  if (pairing.with.protocol == traffic::Protocol::tcp) {
    size->fail(
        fmt::format("'size' is of ping and udp; {} cuts its packets as it likes", pairing.with.to_string()));
  }
  if (asks_dns(pairing, intended)) {
    size->fail(fmt::format("'size' is of what is echoed; {} of {} is a DNS server", pairing.with.to_string(),
                           pairing.to.text));
  }
  return size->as_number("size", 16, 65'000);
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "with", "family", "size", "times"};
  item.arguments.as_mapping("reach");
  item.arguments.allow_keys("reach", keys);
  const spec::Value* count = item.arguments.find("times");
  const std::uint64_t times = count == nullptr ? 1 : count->as_number("times", 1, 1000);
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (engine::Pairing& each : engine::read_pairings(item.arguments, intended)) {
    each.with.payload_bytes = read_size(item.arguments, each, intended);
    auto check = std::make_unique<Reach>(each, times);
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    promise.id = fmt::format("reach {} -> {} {}{}", promise.from, promise.to, promise.with, each.suffix());
    if (times > 1) promise.id += fmt::format(" times {}", times);
    promise.expected =
        fmt::format("{} from {} arrives at {} and is answered", each.what(), promise.from, promise.to);
    if (times > 1) promise.expected += fmt::format(", {} times in a row", times);
    checks.push_back(std::move(check));
  }
  return checks;
}

/// Why silence does not show that a probe got lost: it came to a service of the target's own, or went where
/// nobody watches, and who takes UDP need not answer. Absent: it shows that.
std::optional<std::string> perhaps_mute(const engine::Evidence& evidence) {
  const bool silent = evidence.outcome.status == traffic::ProbeOutcome::Status::timeout;
  const bool udp = evidence.with.protocol == traffic::Protocol::udp;
  if (!evidence.by_service || !silent || !udp || proof::stopper(evidence.kernel)) return std::nullopt;
  const bool dropped = std::ranges::any_of(evidence.kernel.drops, [](const proof::Drop& drop) {
    return drop.leg == proof::Leg::forward && !proof::may_be_a_copy(drop);
  });
  if (dropped) return std::nullopt;
  const std::string& node = evidence.to.node;
  const proof::Sighting* arrival = node.empty() ? nullptr : evidence.journey.arrived(node);
  constexpr std::string_view advice = "promise tcp or ping to it, or `resolve` where it serves DNS";
  if (arrival != nullptr) {
    return fmt::format("arrived at {}, but no answer came: the service there need not echo; {}",
                       engine::place(*arrival), advice);
  }
  if (!node.empty() || !evidence.went_beyond) return std::nullopt;
  return fmt::format("{}, but no answer came: nobody watches {}, and a service there need not echo; {}",
                     evidence.furthest(), evidence.to.text, advice);
}

}  // namespace

engine::Judgement judge_reach(const engine::Evidence& evidence) {
  if (!evidence.answered()) {
    if (const auto mute = perhaps_mute(evidence)) return {Verdict::inconclusive, *mute};
    return {Verdict::fail, fmt::format("{}; {}", traffic::to_text(evidence.outcome), evidence.furthest())};
  }
  const bool handshake = evidence.by_service && evidence.with.protocol == traffic::Protocol::tcp;
  const std::string outcome = handshake ? "connected" : traffic::to_text(evidence.outcome);
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
  if (const auto wrong = engine::wrong_answerer(evidence.journey, evidence.to, evidence.with.port)) {
    return {Verdict::fail, fmt::format("{}, but {}", outcome, *wrong)};
  }
  // The number that a handshake acknowledges only somebody on the way has seen.
  if (arrival == nullptr && handshake)
    return {Verdict::pass, fmt::format("{}: {} took it", outcome, evidence.to.text)};
  // Nobody else knows the nonce, so an answer that holds it proves the arrival where no tap can be.
  if (arrival == nullptr) return {Verdict::pass, fmt::format("{}, with the probe's own bytes", outcome)};
  return {Verdict::pass, fmt::format("{}; arrived at {}", outcome, engine::place(*arrival))};
}

engine::CheckKind reach_kind() {
  return {"reach", "A probe arrives at its target and is answered.", kSchema, parse};
}

}  // namespace plumbline::checks
