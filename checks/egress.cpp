#include "checks/egress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "checks/cables.hpp"
#include "checks/reach.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/check/gather.hpp"

namespace plumbline::checks {
namespace {

using engine::Judgement;
using engine::Verdict;
using proof::Leg;
using proof::Sighting;
using traffic::Direction;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to", "via"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/targets"},
    "with": {"$ref": "#/$defs/services"},
    "family": {"$ref": "#/$defs/families"},
    "via": {"type": "string", "description": "The host's uplink by which the probe must leave."},
    "as": {"description": "The source address that the uplink and the receiver see, at most one of each family; the uplink's own by default. unchanged: the sender's own.",
           "anyOf": [{"const": "unchanged"}, {"$ref": "#/$defs/addresses"}]},
    "hops": {"type": "integer", "minimum": 0, "maximum": 64, "description": "How much lower the TTL is at the uplink than at the source."}
  }
})";

std::optional<IpAddress> first_address(const network::Node& node, std::string_view interface,
                                       IpFamily family) {
  const network::Interface* uplink = node.find_interface(interface);
  if (uplink == nullptr) return std::nullopt;
  const auto held = std::ranges::find_if(uplink->addresses, [&](const auto& a) {
    return a.address.family() == family && (a.address.is_v4() || !a.address.is_link_local());
  });
  if (held == uplink->addresses.end()) return std::nullopt;
  return held->address;
}

/// The bridge's own device, through which the host sends and hears what the uplink as its port passes on, or
/// an end of a cable within the host.
bool is_within(const Sighting& sighting, const Exit& exit) {
  const bool its_bridge = !exit.bridge.empty() && sighting.interface == exit.bridge;
  return its_bridge || exit.inner.contains(sighting.interface);
}

/// A cable to another node of the world: bridges and their ports are inside the host's own network.
bool is_uplink(const Sighting& sighting, const Exit& exit) {
  return sighting.node == exit.host && sighting.leg == Leg::forward &&
         sighting.packet.direction == Direction::out && sighting.packet.ip.has_value() &&
         !is_within(sighting, exit);
}

/// The first packet that did not leave as promised. Absent: all that left did.
std::optional<std::string> wrong_exit(const Exit& exit, const engine::Evidence& evidence) {
  for (const Sighting& sighting : evidence.journey.sightings) {
    if (!is_uplink(sighting, exit)) continue;
    const IpAddress& source = sighting.packet.ip->source;
    if (sighting.interface != exit.via) {
      return fmt::format("left {} by {} instead of {}, as {}", exit.host, sighting.interface, exit.via,
                         source.to_string());
    }
    if (source != exit.as) {
      return fmt::format("left {} by {} as {} instead of {}", exit.host, exit.via, source.to_string(),
                         exit.as.to_string());
    }
  }
  return std::nullopt;
}

/// What the receiver, or the way back, shows to be wrong with an answered probe. Absent: nothing.
std::optional<std::string> wrong_ends(const Exit& exit, const engine::Evidence& evidence) {
  const Sighting* arrival = evidence.journey.arrived(evidence.to.node);
  if (arrival != nullptr && arrival->packet.ip && arrival->packet.ip->source != exit.as) {
    return fmt::format("{} saw it come from {} instead of {}", engine::place(*arrival),
                       arrival->packet.ip->source.to_string(), exit.as.to_string());
  }
  if (evidence.outcome.seen_as && *evidence.outcome.seen_as != exit.as) {
    return fmt::format("the server was asked by {} instead of {}", evidence.outcome.seen_as->to_string(),
                       exit.as.to_string());
  }
  for (const Sighting& sighting : evidence.journey.sightings) {
    // Towards a container an answer leaves the host; what comes in there comes from an uplink.
    if (!sighting.is(Leg::reply, exit.host, Direction::in) || sighting.interface == "lo") continue;
    if (is_within(sighting, exit)) continue;
    if (sighting.interface != exit.via) {
      return fmt::format("the answer came back to {} by {} instead of {}", exit.host, sighting.interface,
                         exit.via);
    }
  }
  const Sighting* reply = evidence.journey.first(Leg::reply, evidence.from, Direction::in);
  if (reply != nullptr && reply->packet.ip && reply->packet.ip->destination != exit.own) {
    return fmt::format("the reply came back to {}, which is not {}",
                       reply->packet.ip->destination.to_string(), exit.own.to_string());
  }
  return std::nullopt;
}

/// Where the probe was first seen leaving its node; null: nowhere.
const Sighting* at_source(const engine::Evidence& evidence) {
  const Sighting* out = evidence.journey.left(evidence.from);
  return out != nullptr && out->packet.ip ? out : nullptr;
}

/// Routers on the way, by the TTL. Absent: one of the two places was not seen.
std::optional<int> hops_taken(const Exit& exit, const engine::Evidence& evidence) {
  const Sighting* start = at_source(evidence);
  for (const Sighting& sighting : evidence.journey.sightings) {
    if (start != nullptr && is_uplink(sighting, exit)) return start->packet.ip->ttl - sighting.packet.ip->ttl;
  }
  return std::nullopt;
}

std::optional<std::string> wrong_hops(const Exit& exit, const engine::Evidence& evidence) {
  const auto taken = hops_taken(exit, evidence);
  if (!exit.hops || !taken || *taken == static_cast<int>(*exit.hops)) return std::nullopt;
  return fmt::format("the TTL fell by {} instead of {} between {} and {}:{}", *taken, *exit.hops,
                     evidence.from, exit.host, exit.via);
}

/// The source that is promised.
struct Source {
  std::vector<IpAddress> stated;  ///< at most one of each family; none: the uplink's own
  bool unchanged = false;         ///< the sender's own

  std::optional<IpAddress> of(IpFamily family) const {
    const auto found = std::ranges::find(stated, family, &IpAddress::family);
    return found == stated.end() ? std::nullopt : std::optional(*found);
  }
  std::string text(IpFamily family) const {
    if (unchanged) return "itself";
    const auto address = of(family);
    return address ? address->to_string() : "the uplink's own address";
  }
};

class Egress final : public engine::Check {
 public:
  Egress(const engine::Pairing& pairing, Exit exit, Source source)
      : with_(pairing.with), family_(pairing.family), exit_(std::move(exit)), source_(std::move(source)) {}

  std::vector<engine::Need> needs() const override { return {{promise.from, promise.to, with_}}; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    const engine::Target to = stage.target(promise.from, promise.to, family_);
    Exit exit = exit_;
    if (!source_.unchanged) exit.as = source_on_uplink(stage, to.address.family());
    // To the end of both, whichever throws: what is under way cannot be torn down.
    std::vector<boost::asio::awaitable<engine::Evidence>> probes;
    probes.push_back(stage.exchange(promise.from, to, with_));
    probes.push_back(stage.exchange(exit.host, to, with_));
    std::vector<engine::Evidence> both = co_await engine::gather(std::move(probes));
    engine::Evidence& evidence = both[0];
    engine::Evidence& control = both[1];
    exit.own = evidence.outcome.identity.source;
    if (const network::Node* host = stage.topology().find(exit.host)) {
      const network::Interface* uplink = host->find_interface(exit.via);
      if (uplink != nullptr) exit.bridge = uplink->master;
      exit.inner = inner_cables(*host);
    }
    if (source_.unchanged) exit.as = exit.own;
    engine::Outcome outcome;
    outcome.judgement = judge_egress(exit, evidence, promise.from == exit.host ? nullptr : &control);
    if (promise.from != exit.host) {
      const Judgement through = judge_reach(control);
      outcome.control =
          engine::Control{exit.host, promise.to, promise.with, through.verdict, through.observed};
      outcome.control_journey = std::move(control.journey);
    }
    if (outcome.judgement.verdict != Verdict::pass) {
      outcome.question = engine::case_of(evidence, proof::Case::Promise::egress);
      outcome.question->via = exit.via;
      outcome.question->as = exit.as;
    }
    outcome.journey = std::move(evidence.journey);
    outcome.kernel = std::move(evidence.kernel);
    co_return outcome;
  }

 private:
  IpAddress source_on_uplink(const engine::Stage& stage, IpFamily family) const {
    if (const auto stated = source_.of(family)) return *stated;
    std::optional<IpAddress> address;
    // What the uplink has lost, or has got beside it, changes nothing about what was promised.
    for (const network::Topology* known : {&stage.intended(), &stage.topology()}) {
      const network::Node* host = known->find(exit_.host);
      if (!address && host != nullptr) address = first_address(*host, exit_.via, family);
    }
    if (!address) {
      throw Error(fmt::format("{} has no address of that family on {}: name the source with `as:`",
                              exit_.host, exit_.via));
    }
    return *address;
  }

  engine::Service with_;
  IpFamily family_;
  Exit exit_;
  Source source_;
};

/// A cable of the host's own that leads out: no loopback, no bridge, no port of one.
bool may_be_uplink(const network::Interface& interface) {
  const bool inside =
      interface.kind == network::LinkKind::loopback || interface.kind == network::LinkKind::bridge;
  return !inside && interface.master.empty();
}

/// The uplink that `via` names. Throws SpecError where the host has none of that name.
std::string read_uplink(const spec::Value& arguments, const network::Node& host) {
  const spec::Value& via = arguments.require("via", "egress");
  const std::string& text = via.as_text("via");
  std::vector<std::string_view> names;
  for (const network::Interface& interface : host.interfaces) {
    if (may_be_uplink(interface)) names.emplace_back(interface.name);
  }
  if (std::ranges::find(names, text) != names.end()) return text;
  const auto near = spec::nearest(text, names);
  via.fail(fmt::format("{} has no uplink '{}'{}", host.name, text,
                       near.empty() ? fmt::format("; it has {}", fmt::join(names, ", "))
                                    : fmt::format("; did you mean '{}'?", near)));
}

/// `as`, of which each address is of use only where a probe of its family is sent.
Source read_source(const spec::Value& arguments, const std::vector<engine::Pairing>& pairings) {
  Source source;
  const spec::Value* stated = arguments.find("as");
  if (stated == nullptr) return source;
  source.unchanged = stated->kind == spec::Value::Kind::scalar && stated->text == "unchanged";
  if (source.unchanged) return source;
  for (const spec::Value& item : stated->as_list()) {
    const IpAddress as = item.as_address("as");
    if (source.of(as.family())) item.fail("'as' takes at most one address of each family");
    if (std::ranges::find(pairings, as.family(), &engine::Pairing::family) == pairings.end()) {
      item.fail(fmt::format("{} cannot be the source of these probes, which go over {}", as.to_string(),
                            engine::family_name(pairings.front().family)));
    }
    source.stated.push_back(as);
  }
  if (source.stated.empty()) stated->fail("'as' is empty: name an address, or leave it out");
  return source;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "with", "family", "via", "as", "hops"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("egress");
  arguments.allow_keys("egress", keys);
  const network::Node* host = intended.host();
  if (host == nullptr)
    throw spec::SpecError(item.mark, "egress needs a world with a host, whose uplink it watches");
  const auto pairings = engine::read_pairings(arguments, intended);
  const Source source = read_source(arguments, pairings);
  Exit exit{host->name, read_uplink(arguments, *host), {}, {}, {}, {}, {}};
  if (const spec::Value* hops = arguments.find("hops")) {
    exit.hops = static_cast<unsigned>(hops->as_number("hops", 0, 64));
  }
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Pairing& each : pairings) {
    auto check = std::make_unique<Egress>(each, exit, source);
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    promise.id = fmt::format("egress {} -> {} {} via {}{}", promise.from, promise.to, promise.with, exit.via,
                             each.suffix());
    promise.expected = fmt::format(
        "{} from {} leaves by {} as {}{}, arrives at {} so, and its answer comes back", each.what(),
        promise.from, exit.via, source.text(each.family),
        exit.hops ? fmt::format(" after {} hop{}", *exit.hops, *exit.hops == 1 ? "" : "s") : std::string(),
        promise.to);
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace

Judgement judge_egress(const Exit& exit, const engine::Evidence& evidence, const engine::Evidence* control) {
  const std::string outcome = traffic::to_text(evidence.outcome);
  if (const auto wrong = wrong_exit(exit, evidence)) return {Verdict::fail, *wrong};
  if (const auto wrong = wrong_hops(exit, evidence)) return {Verdict::fail, *wrong};
  const auto& seen = evidence.journey.sightings;
  const auto left = std::ranges::find_if(seen, [&](const Sighting& s) { return is_uplink(s, exit); });
  if (!evidence.answered()) {
    const bool dead = control != nullptr && judge_reach(*control).verdict != Verdict::pass;
    if (left != seen.end() && dead) {
      return {Verdict::inconclusive,
              fmt::format("left by {} as {}, but {} answers {} no better: the target may be dead ({})",
                          exit.via, exit.as.to_string(), evidence.to.text, control->from, outcome)};
    }
    return {Verdict::fail, fmt::format("{}; {}", outcome, evidence.furthest())};
  }
  if (const auto wrong = wrong_ends(exit, evidence)) return {Verdict::fail, *wrong};
  const auto blind = evidence.blind();
  if (const auto wrong = engine::wrong_answerer(evidence.journey, evidence.to, evidence.with.port);
      wrong && !blind) {
    return {Verdict::fail, fmt::format("{}, but {}; {}", outcome, *wrong, evidence.furthest())};
  }
  // Where nobody watches, the answer is what shows that it arrived: see wrong_answerer.
  const bool watched = !evidence.to.node.empty();
  const bool arrived = !watched || evidence.journey.arrived(evidence.to.node) != nullptr;
  const bool returned = evidence.journey.first(Leg::reply, evidence.from, Direction::in) != nullptr;
  if (left == seen.end() || !arrived || !returned) {
    const std::string_view missing = left == seen.end() ? "leaving by the uplink"
                                     : !arrived         ? "arriving"
                                                        : "coming back";
    if (blind) {
      return {Verdict::inconclusive, fmt::format("{}, but it was not seen {}: {}", outcome, missing, *blind)};
    }
    return {Verdict::fail,
            fmt::format("{}, but it was not seen {}; {}", outcome, missing, evidence.furthest())};
  }
  const auto taken = hops_taken(exit, evidence);
  if (exit.hops && !taken) {
    return {
        Verdict::inconclusive,
        fmt::format("{}, but it was not seen leaving {}, so its hops are not known", outcome, evidence.from)};
  }
  const std::string hops = exit.hops ? fmt::format(" after {} hop{}", *taken, *taken == 1 ? "" : "s") : "";
  return {Verdict::pass,
          fmt::format("{}; left by {} as {}{}{}; the answer came back to {}", outcome, exit.via,
                      exit.as.to_string(), hops, watched ? " and arrived so" : "", exit.own.to_string())};
}

engine::CheckKind egress_kind() {
  return {"egress",
          "A probe leaves by the promised uplink with the promised source, and its answer comes back.",
          kSchema, parse};
}

}  // namespace plumbline::checks
