#include "checks/isolated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "checks/reach.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/gather.hpp"
#include "harness/engine/check/kernel_error.hpp"
#include "harness/engine/check/next_hop.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::checks {
namespace {

namespace netlink = kernel::netlink;
using boost::asio::awaitable;
using engine::Evidence;
using engine::Service;
using engine::Verdict;
using network::Interface;
using network::Node;
using Status = traffic::ProbeOutcome::Status;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/nodes"},
    "with": {"$ref": "#/$defs/services", "description": "ping, tcp/7 and udp/7 by default."},
    "at": {"$ref": "#/$defs/address", "description": "Only this address of 'to'; every one that it holds by default."},
    "error": {"$ref": "#/$defs/refusal", "description": "The sender's own kernel must say so of every address but loopback ones: network unreachable."}
  }
})";

/// One address of the isolated node, as it is named from either side.
struct Place {
  IpAddress address;
  std::string text;
  unsigned scope = 0;      // the sender's interface, of a link-local address
  unsigned own_scope = 0;  // the isolated node's
};

bool needs_scope(const IpAddress& address) {
  return !address.is_v4() && address.is_link_local();
}

/// The interfaces that a link-local address may be meant through: the loopback only where there is no other.
std::vector<const Interface*> ways_out(const Node& sender) {
  std::vector<const Interface*> ways;
  for (const bool loopback : {false, true}) {
    if (!ways.empty()) break;
    for (const Interface& interface : sender.interfaces) {
      if ((interface.kind == network::LinkKind::loopback) == loopback) ways.push_back(&interface);
    }
  }
  return ways;
}

void add_places(const IpAddress& address, unsigned own_scope, const Node& sender,
                std::vector<Place>& places) {
  if (!needs_scope(address)) {
    places.push_back({address, address.to_string()});
    return;
  }
  for (const Interface* way : ways_out(sender)) {
    places.push_back({address, fmt::format("{}%{}", address.to_string(), way->name), way->index, own_scope});
  }
}

/// An address on an interface that is down, or that somebody else holds already, is no address of the node.
bool in_use(const Interface& interface, const IpAddress& address) {
  return interface.up && std::ranges::find(interface.duplicate, address) == interface.duplicate.end();
}

/// Every address of `node`, or `only` that one, held or not: whether the node answers there the control
/// tells.
std::vector<Place> places_of(const Node& node, const std::optional<IpAddress>& only, const Node& sender) {
  std::vector<Place> places;
  for (const Interface& interface : node.interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      const bool wanted = !only || *only == held.address;
      if (wanted && in_use(interface, held.address))
        add_places(held.address, interface.index, sender, places);
    }
  }
  if (only && places.empty()) add_places(*only, 0, sender, places);
  return places;
}

bool is_tentative(const Node& node) {
  return std::ranges::any_of(node.interfaces, [](const Interface& each) { return !each.tentative.empty(); });
}

/// What got to the node. Absent: nothing did.
std::optional<std::string> leak(const Isolation& promise, const IsolationProbe& probe) {
  const Evidence& evidence = probe.evidence;
  const std::string what = fmt::format("{} to {}", evidence.with.to_string(), probe.address);
  if (const proof::Sighting* seen = evidence.journey.passed(promise.to)) {
    return fmt::format("{} was seen at {}", what, engine::place(*seen));
  }
  if (evidence.delivered_to == promise.to)
    return fmt::format("{} came to a listener of {}", what, promise.to);
  return std::nullopt;
}

/// Another end than the promised refusal. Absent: that one, or none is promised.
std::optional<std::string> wrong_end(const Isolation& promise, const IsolationProbe& probe) {
  const Evidence& evidence = probe.evidence;
  if (promise.error == 0 || evidence.to.address.is_loopback()) return std::nullopt;
  const traffic::ProbeOutcome& outcome = evidence.outcome;
  if (outcome.status == Status::local_error && outcome.error_number == promise.error) return std::nullopt;
  return fmt::format("{} to {}: {} instead of {}", evidence.with.to_string(), probe.address,
                     traffic::to_text(outcome), engine::kernel_error_text(promise.error));
}

/// The sender's kernel found no neighbour to hand it to. It still waits for one, or has told itself in an
/// error on its loopback that it has given up, by which time its neighbour table may hold no entry any more.
bool nobody_to_go_to(const Isolation& promise, const IsolationProbe& probe) {
  if (!probe.unresolved.empty()) return true;
  const proof::Journey& journey = probe.evidence.journey;
  if (journey.passed(promise.from) != nullptr) return false;
  return std::ranges::any_of(journey.sightings, [&](const proof::Sighting& seen) {
    const auto* icmp = std::get_if<traffic::IcmpHeader>(&seen.packet.transport);
    const bool told_itself =
        seen.leg == proof::Leg::error && seen.node == promise.from && seen.interface == "lo";
    return told_itself && icmp != nullptr && icmp->type == (icmp->v6 ? 1 : 3) &&
           icmp->code == (icmp->v6 ? 3 : 1);
  });
}

/// What keeps a probe without a leak from proving anything. Absent: nothing does.
std::optional<std::string> gap(const Isolation& promise, const IsolationProbe& probe) {
  const Evidence& evidence = probe.evidence;
  if (proven_by_itself(promise, evidence)) return std::nullopt;
  const std::string what = fmt::format("{} to {}", evidence.with.to_string(), probe.address);
  if (evidence.outcome.status == Status::local_error) {
    const bool waits = promise.sender_is_tentative && evidence.outcome.error_number == EADDRNOTAVAIL;
    return fmt::format("{} was never sent: {}{}", what, traffic::to_text(evidence.outcome),
                       waits ? " while duplicate address detection goes on" : "");
  }
  const bool nowhere_to_go = evidence.journey.complete && nobody_to_go_to(promise, probe);
  const auto blind = evidence.blind();
  if (blind && !nowhere_to_go) {
    return fmt::format("{}: {}, so its absence at {} proves nothing", what, *blind, promise.to);
  }
  if (!probe.control) return fmt::format("there is no control for {}", what);
  const engine::Judgement through = judge_reach(*probe.control);
  if (through.verdict == Verdict::pass) return std::nullopt;
  return fmt::format("{} proves nothing, for {} does not even reach itself there: {}", what, promise.to,
                     through.observed);
}

/// What became of a probe that did not get to the node, in words that are counted.
std::string end_of(const Isolation& promise, const IsolationProbe& probe) {
  const Evidence& evidence = probe.evidence;
  if (nobody_to_go_to(promise, probe)) return "never sent for want of a neighbour";
  const traffic::ProbeOutcome& outcome = evidence.outcome;
  const bool stays = evidence.to.address.is_loopback();
  switch (outcome.status) {
    case Status::local_error:
      return engine::kernel_error_text(outcome.error_number);
    case Status::refused:
      return stays ? "connection refused by its own loopback" : "connection refused";
    case Status::icmp_error:
      if (!stays) return traffic::to_text(outcome);
      return traffic::icmp_text(outcome.icmp->type, outcome.icmp->code, outcome.icmp->v6) +
             " by its own loopback";
    case Status::timeout:
      return "no answer";
    case Status::replied:
    case Status::no_answer:
      break;
  }
  if (stays) return "answered by its own loopback";
  const auto answers = evidence.journey.answers();
  const std::string who = answers.empty() ? std::string("somebody else") : answers.front()->node;
  return "answered by " + (who == promise.from ? "itself" : who);
}

std::string tally(const Isolation& promise, const std::vector<IsolationProbe>& probes) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const IsolationProbe& probe : probes) {
    std::string end = leak(promise, probe) ? "seen there" : end_of(promise, probe);
    const auto known = std::ranges::find(counts, end, &std::pair<std::string, std::size_t>::first);
    if (known == counts.end()) {
      counts.emplace_back(std::move(end), 1);
    } else {
      ++known->second;
    }
  }
  std::vector<std::string> parts;
  for (const auto& [end, count] : counts) parts.push_back(fmt::format("{} {}", count, end));
  return fmt::format("{} probe{}: {}", probes.size(), probes.size() == 1 ? "" : "s", fmt::join(parts, ", "));
}

class Isolated final : public engine::Check {
 public:
  Isolated(Isolation expected, std::vector<Service> services, std::optional<IpAddress> at)
      : expected_(std::move(expected)), services_(std::move(services)), at_(at) {}

  std::vector<engine::Need> needs() const override {
    std::vector<engine::Need> needs;
    for (const Service& service : services_) needs.push_back({expected_.to, expected_.to, service});
    return needs;
  }

  awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    const Node sender = stage.look_at(expected_.from);
    const std::vector<Place> places = places_of(stage.look_at(expected_.to), at_, sender);
    engine::Outcome outcome;
    if (places.empty()) {
      outcome.judgement = {Verdict::inconclusive,
                           fmt::format("{} holds no address, so nothing could be sent to it", expected_.to)};
      co_return outcome;
    }
    Isolation promised = expected_;
    promised.sender_is_tentative = is_tentative(sender);
    std::vector<IsolationProbe> probes = co_await probe_all(stage, places);
    co_await add_controls(stage, promised, places, probes);
    const IsolationJudgement judged = judge_isolated(promised, probes);
    outcome.judgement = judged.judgement;
    IsolationProbe& decisive = probes.at(judged.decisive);
    outcome.journey = std::move(decisive.evidence.journey);
    if (decisive.control) {
      const engine::Judgement through = judge_reach(*decisive.control);
      outcome.control = engine::Control{expected_.to, decisive.address, decisive.evidence.with.to_string(),
                                        through.verdict, through.observed};
      outcome.control_journey = std::move(decisive.control->journey);
    }
    co_return outcome;
  }

 private:
  awaitable<std::vector<IsolationProbe>> probe_all(engine::Stage& stage,
                                                   const std::vector<Place>& places) const {
    std::vector<awaitable<IsolationProbe>> tasks;
    for (const Place& place : places) {
      for (const Service& service : services_) {
        engine::Target target{place.text, place.address, expected_.to, place.scope};
        tasks.push_back(probe_one(stage, std::move(target), service));
      }
    }
    co_return co_await engine::gather(std::move(tasks));
  }

  /// What the sender's neighbour table says of it is asked at once: by the time that others have ended too,
  /// the kernel may have forgotten whom it had asked for in vain.
  awaitable<IsolationProbe> probe_one(engine::Stage& stage, engine::Target target, Service service) const {
    IsolationProbe probe;
    probe.address = target.text;
    std::string from = expected_.from;
    probe.evidence = co_await stage.exchange(std::move(from), std::move(target), service);
    probe.unresolved = unresolved(stage, probe.evidence);
    co_return probe;
  }

  /// The sender's own word, from its routes and its neighbour table: whom it waits for.
  static std::string unresolved(const engine::Stage& stage, const Evidence& evidence) {
    if (evidence.outcome.status != Status::timeout || evidence.journey.passed(evidence.from) != nullptr)
      return {};
    auto socket = netlink::Socket::open(stage.network().netns(evidence.from));
    netlink::RouteLookup lookup;
    lookup.to = evidence.to.address;
    lookup.oif = evidence.to.scope;
    const auto next = engine::unresolved_next_hop(socket, lookup, engine::unresolved_neighbours(socket));
    return next ? next->address.to_string() : std::string();
  }

  /// One for each address and service that needs it, whichever way the sender meant.
  awaitable<void> add_controls(engine::Stage& stage, const Isolation& promised,
                               const std::vector<Place>& places, std::vector<IsolationProbe>& probes) const {
    std::map<std::pair<IpAddress, Service>, std::size_t> numbers;
    std::vector<awaitable<Evidence>> tasks;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      if (proven_by_itself(promised, probes[i].evidence)) continue;
      const Place& place = places.at(i / services_.size());
      const Service service = probes[i].evidence.with;
      if (!numbers.emplace(std::pair(place.address, service), tasks.size()).second) continue;
      engine::Target target{place.address.to_string(), place.address, expected_.to, place.own_scope};
      tasks.push_back(stage.exchange(expected_.to, std::move(target), service));
    }
    const std::vector<Evidence> controls = co_await engine::gather(std::move(tasks));
    for (IsolationProbe& probe : probes) {
      const auto number = numbers.find({probe.evidence.to.address, probe.evidence.with});
      if (number != numbers.end()) probe.control = controls.at(number->second);
    }
  }

  Isolation expected_;
  std::vector<Service> services_;
  std::optional<IpAddress> at_;
};

std::vector<Service> read_services(const spec::Value& arguments) {
  if (arguments.find("with") != nullptr) return engine::read_services(arguments);
  return {{traffic::Protocol::ping, 0}, {traffic::Protocol::tcp, 7}, {traffic::Protocol::udp, 7}};
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "with", "at", "error"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("isolated");
  arguments.allow_keys("isolated", keys);
  const std::vector<Service> services = read_services(arguments);
  std::vector<std::string> words;
  for (const Service& service : services) words.push_back(service.to_string());
  const std::string with = fmt::format("{}", fmt::join(words, ", "));
  std::optional<IpAddress> at;
  if (const spec::Value* address = arguments.find("at")) at = address->as_address("at");
  Isolation expected;
  if (const spec::Value* error = arguments.find("error")) expected.error = engine::read_kernel_error(*error);
  const auto targets = engine::read_nodes(arguments, "to", intended);
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Party& from : engine::read_nodes(arguments, "from", intended)) {
    for (const engine::Party& to : targets) {
      if (from.text == to.text) continue;  // of two lists of the same nodes
      expected.from = from.text;
      expected.to = to.text;
      auto check = std::make_unique<Isolated>(expected, services, at);
      engine::CheckResult& promise = check->promise;
      promise.type = "isolated";
      promise.from = from.text;
      promise.to = to.text;
      promise.with = with;
      promise.where = item.mark.to_string();
      promise.id = fmt::format("isolated {} -> {}{}{}", from.text, to.text,
                               at ? " at " + at->to_string() : std::string(),
                               arguments.find("with") == nullptr ? std::string() : " " + with);
      promise.expected =
          fmt::format("nothing from {} arrives at {}: {} to {}{}", from.text, to.text, with,
                      at ? at->to_string() : "every address that it holds",
                      expected.error == 0
                          ? std::string()
                          : fmt::format("; {}, but on loopback", engine::kernel_error_text(expected.error)));
      checks.push_back(std::move(check));
    }
  }
  if (checks.empty()) arguments.fail("no node is isolated from itself: 'from' and 'to' must differ");
  return checks;
}

}  // namespace

bool proven_by_itself(const Isolation& promise, const Evidence& evidence) {
  const traffic::ProbeOutcome& outcome = evidence.outcome;
  if (outcome.status != Status::local_error) return false;
  switch (outcome.error_number) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EACCES:  // a prohibit route
    case EPERM:   // its own firewall
    case EAFNOSUPPORT:
      return true;
    case EINVAL:  // a blackhole route; of a link-local address it may be the scope that is wrong
      return !needs_scope(evidence.to.address);
    case EADDRNOTAVAIL:  // no source address of that family
      return !promise.sender_is_tentative;
    default:
      return false;
  }
}

IsolationJudgement judge_isolated(const Isolation& promise, const std::vector<IsolationProbe>& probes) {
  using Find = std::optional<std::string> (*)(const Isolation&, const IsolationProbe&);
  constexpr std::pair<Find, Verdict> questions[] = {
      {leak, Verdict::fail}, {wrong_end, Verdict::fail}, {gap, Verdict::inconclusive}};
  const std::string all = tally(promise, probes);
  for (const auto& [find, verdict] : questions) {
    for (std::size_t i = 0; i < probes.size(); ++i) {
      if (const auto found = find(promise, probes[i])) {
        return {{verdict, fmt::format("{}; {}", *found, all)}, i};
      }
    }
  }
  return {{Verdict::pass, all}, 0};
}

engine::CheckKind isolated_kind() {
  return {"isolated",
          "No ping, TCP or UDP probe gets from one node to another, at any address that the other holds.",
          kSchema, parse};
}

}  // namespace plumbline::checks
