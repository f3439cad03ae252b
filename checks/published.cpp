#include "checks/published.hpp"

#include <fmt/format.h>

#include "harness/base/text.hpp"
#include "harness/engine/check/diagnosis.hpp"

namespace plumbline::checks {
namespace {

using engine::Judgement;
using engine::Verdict;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to", "with", "at"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/targets"},
    "with": {"$ref": "#/$defs/ports"},
    "family": {"$ref": "#/$defs/families"},
    "at": {"$ref": "#/$defs/name", "description": "The node whose server answers."},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "Its port there; the same by default."},
    "as": {"description": "The source that it sees. unchanged: the sender's own. By default whatever it is.",
           "anyOf": [{"const": "unchanged"}, {"$ref": "#/$defs/address"}]}
  }
})";

struct Source {
  std::optional<IpAddress> stated;
  bool unchanged = false;

  std::string text() const {
    if (unchanged) return " from the sender's own address";
    return stated ? fmt::format(" from {}", stated->to_string()) : std::string();
  }
};

class Published final : public engine::Check {
 public:
  Published(const engine::Pairing& pairing, std::string at, engine::Service there, Source source)
      : with_(pairing.with), family_(pairing.family), at_(std::move(at)), there_(there), source_(source) {}

  /// At the far end: what has the port in between leads there.
  std::vector<engine::Need> needs() const override { return {{promise.from, at_, there_}}; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    engine::Target to = stage.target(promise.from, promise.to, family_);
    engine::Evidence evidence =
        co_await stage.exchange_through(promise.from, std::move(to), with_, at_, there_);
    PublishedPromise meant{at_, source_.stated, there_.port};
    if (source_.unchanged) meant.as = evidence.outcome.identity.source;
    engine::Outcome outcome;
    outcome.judgement = judge_published(meant, evidence);
    // Where somebody answers, and it is not known who, nothing is known to be amiss either.
    const bool open = outcome.judgement.verdict == Verdict::inconclusive && evidence.answered();
    if (outcome.judgement.verdict != Verdict::pass && !open) {
      outcome.question = engine::case_of(evidence, proof::Case::Promise::reach);
      outcome.question->published_at = at_;
      outcome.question->as = meant.as;
    }
    outcome.journey = std::move(evidence.journey);
    outcome.kernel = std::move(evidence.kernel);
    co_return outcome;
  }

 private:
  engine::Service with_;
  IpFamily family_;
  std::string at_;
  engine::Service there_;
  Source source_;
};

Source read_source(const spec::Value& arguments) {
  const spec::Value* as = arguments.find("as");
  Source source;
  if (as == nullptr) return source;
  source.unchanged = as->as_text("as") == "unchanged";
  if (!source.unchanged) source.stated = as->as_address("as");
  return source;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "with", "family", "at", "port", "as"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("published");
  arguments.allow_keys("published", keys);
  const spec::Value& with = arguments.require("with", "published");
  arguments.require("at", "published");
  const std::string at = engine::read_node(arguments, "at", intended, {});
  const Source source = read_source(arguments);
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Pairing& each : engine::read_pairings(arguments, intended)) {
    if (each.with.protocol == traffic::Protocol::ping) with.fail("ports are published, pings are not");
    engine::Service there = each.with;
    if (const spec::Value* port = arguments.find("port")) {
      there.port = static_cast<std::uint16_t>(port->as_number("port", 1, 65'535));
    }
    auto check = std::make_unique<Published>(each, at, there, source);
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    promise.id = fmt::format("published {} -> {} {} at {}{}", promise.from, promise.to, promise.with, at,
                             each.suffix());
    promise.expected = fmt::format("{} from {} to {} comes to {} of {}{}, and is answered", each.what(),
                                   promise.from, promise.to, there.to_string(), at, source.text());
    checks.push_back(std::move(check));
  }
  return checks;
}

std::uint16_t destination_port(const proof::Sighting& sighting) {
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&sighting.packet.transport))
    return tcp->destination_port;
  if (const auto* udp = std::get_if<traffic::UdpHeader>(&sighting.packet.transport))
    return udp->destination_port;
  return 0;
}

/// A proxy took the connection, and led on to the service by one of its own.
Judgement judge_relay(const PublishedPromise& promise, const engine::Evidence& evidence) {
  const engine::Relay& relay = *evidence.relay;
  const std::string who = fmt::format("connected with {} (process {}) of {}, which then connected to {}",
                                      printable(relay.process), relay.pid, evidence.to.node, promise.at);
  if (promise.as && relay.source != *promise.as) {
    return {Verdict::fail,
            fmt::format("{} from {} instead of {}", who, relay.source.to_string(), promise.as->to_string())};
  }
  return {Verdict::pass, fmt::format("{} from {}", who, relay.source.to_string())};
}

/// A live host's own service tells nobody what it got: the taps are all that is known of it.
Judgement judge_service(const PublishedPromise& promise, const engine::Evidence& evidence) {
  const bool tcp = evidence.with.protocol == traffic::Protocol::tcp;
  const proof::Sighting* arrival = evidence.journey.arrived(promise.at);
  const bool there = arrival != nullptr && arrival->packet.ip &&
                     (promise.port == 0 || destination_port(*arrival) == promise.port);
  if (!evidence.answered()) {
    const std::string outcome = traffic::to_text(evidence.outcome);
    const bool silent = evidence.outcome.status == traffic::ProbeOutcome::Status::timeout;
    if (there && silent && !tcp) {
      return {Verdict::inconclusive,
              fmt::format("arrived at {}, but no answer came: the service there need not echo",
                          engine::place(*arrival))};
    }
    return {Verdict::fail, fmt::format("{}; {}", outcome, evidence.furthest())};
  }
  const std::string outcome = tcp ? "connected" : traffic::to_text(evidence.outcome);
  if (const auto blind = evidence.blind()) {
    return {Verdict::inconclusive, fmt::format("{}, but {}", outcome, *blind)};
  }
  if (arrival == nullptr && evidence.relay) return judge_relay(promise, evidence);
  if (arrival == nullptr) {
    const auto answers = evidence.journey.answers();
    const std::string who = answers.empty() ? "somebody" : answers.front()->node;
    return {Verdict::inconclusive,
            fmt::format("{}, but with {}, and {} has not seen the packet: whether a proxy there leads on to "
                        "it was not seen",
                        outcome, who, promise.at)};
  }
  if (!there) {
    return {Verdict::fail, fmt::format("{}, but with port {} of {} instead of {}", outcome,
                                       destination_port(*arrival), promise.at, promise.port)};
  }
  engine::Target far_end = evidence.to;
  far_end.text = far_end.node = promise.at;
  if (const auto wrong = engine::wrong_answerer(evidence.journey, far_end)) {
    return {Verdict::fail, fmt::format("{}, but {}", outcome, *wrong)};
  }
  const IpAddress& source = arrival->packet.ip->source;
  if (promise.as && source != *promise.as) {
    return {Verdict::fail, fmt::format("{} with {}, where it came from {} instead of {}", outcome, promise.at,
                                       source.to_string(), promise.as->to_string())};
  }
  return {Verdict::pass,
          fmt::format("{}; arrived at {} from {}", outcome, engine::place(*arrival), source.to_string())};
}

/// Of a probe that nobody answered: the kernel's word that it was taken for the node's own, so that no rule
/// led it on to the server. Empty: it did not say so.
std::string not_led_on(const PublishedPromise& promise, const engine::Evidence& evidence) {
  if (evidence.to.node.empty() || evidence.to.node == promise.at) return {};
  for (const proof::Passage& passage : evidence.kernel.passages) {
    const bool own =
        passage.node == evidence.to.node && passage.hook == proof::Hook::input && !passage.bridge;
    if (own && passage.leg == proof::Leg::forward && passage.destination == evidence.to.address) {
      return fmt::format("; no rule of {} (DNAT) led it on to {}", passage.node, promise.at);
    }
  }
  return {};
}

}  // namespace

Judgement judge_published(const PublishedPromise& promise, const engine::Evidence& evidence) {
  if (evidence.by_service) return judge_service(promise, evidence);
  const std::string outcome = traffic::to_text(evidence.outcome);
  if (!evidence.answered()) {
    return {Verdict::fail,
            fmt::format("{}; {}{}", outcome, evidence.furthest(), not_led_on(promise, evidence))};
  }
  // Nobody else knows the nonce: who got it is known by its server, whatever was between.
  if (evidence.delivered_to.empty()) {
    return {Verdict::fail, fmt::format("{}, but by none of our servers; {}", outcome, evidence.furthest())};
  }
  if (evidence.delivered_to != promise.at) {
    return {Verdict::fail,
            fmt::format("{}, but by {} and not by {}", outcome, evidence.delivered_to, promise.at)};
  }
  const std::optional<IpAddress>& source = evidence.delivered_from;
  if (promise.as && !source) {
    return {Verdict::inconclusive, fmt::format("{} by {}, but from where was not seen", outcome, promise.at)};
  }
  if (promise.as && *source != *promise.as) {
    return {Verdict::fail, fmt::format("{} by {}, which saw it come from {} instead of {}", outcome,
                                       promise.at, source->to_string(), promise.as->to_string())};
  }
  return {Verdict::pass, fmt::format("{} by {}{}", outcome, promise.at,
                                     source ? ", which saw it come from " + source->to_string() : "")};
}

engine::CheckKind published_kind() {
  return {"published",
          "A port leads to a server of another node, which answers and sees the promised source.", kSchema,
          parse};
}

}  // namespace plumbline::checks
