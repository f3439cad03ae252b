#include "checks/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "harness/base/text.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/check/gather.hpp"
#include "harness/proof/diagnosis/dns.hpp"

namespace plumbline::checks {
namespace {

using engine::Judgement;
using engine::Verdict;
using Addresses = std::optional<std::vector<IpAddress>>;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "name"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "name": {"type": "string", "description": "The host name to ask for."},
    "expect": {"description": "The addresses that the answers must hold, no more and no less: A is asked for IPv4 ones, AAAA for IPv6 ones. Any IPv4 address by default.",
               "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    "server": {"type": "string", "description": "A node or an address; the node's own resolvers by default."},
    "resolvers": {"enum": ["each", "first"], "description": "Which of the node's own: first, whom programs ask before any other; each by default."},
    "family": {"$ref": "#/$defs/families"},
    "with": {"description": "Transports; both by default.",
             "oneOf": [{"enum": ["udp", "tcp"]}, {"type": "array", "items": {"enum": ["udp", "tcp"]}, "minItems": 1}]}
  }
})";
constexpr std::uint16_t kDnsPort = 53;
constexpr std::array<std::string_view, 2> kTransports{"udp", "tcp"};
constexpr std::array<std::string_view, 2> kWhichResolvers{"each", "first"};

std::string list(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Those of one family; absent where any will do.
Addresses of_family(const Addresses& addresses, IpFamily family) {
  if (!addresses) return std::nullopt;
  Addresses some(std::in_place);
  std::ranges::copy_if(*addresses, std::back_inserter(*some),
                       [&](const IpAddress& address) { return address.family() == family; });
  return some;
}

class Resolve final : public engine::Check {
 public:
  /// `own`: the server is one that the node's resolv.conf is to name.
  Resolve(std::string name, Addresses expected, bool tcp, IpFamily family, bool own)
      : name_(std::move(name)), expected_(std::move(expected)), tcp_(tcp), family_(family), own_(own) {}

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    const std::string asked_for = own_ ? resolver_of(stage.topology()) : promise.to;
    const engine::Target server = stage.target(promise.from, asked_for, family_);
    std::vector<boost::asio::awaitable<engine::DnsEvidence>> tasks;
    const std::vector<IpFamily> asked = families();
    for (const IpFamily family : asked) {
      tasks.push_back(stage.resolve(promise.from, server, name_, tcp_, family));
    }
    std::vector<engine::DnsEvidence> answers = co_await engine::gather(std::move(tasks));
    std::vector<Judgement> judgements;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      judgements.push_back(judge_resolve(of_family(expected_, asked[i]), answers[i]));
    }
    const std::size_t worst = decisive(judgements);
    engine::Outcome outcome;
    outcome.judgement.verdict = judgements.at(worst).verdict;
    outcome.judgement.observed = told(asked, judgements);
    if (asked_for != promise.to) {
      outcome.judgement.verdict = Verdict::fail;
      outcome.judgement.observed =
          fmt::format("{}'s resolv.conf {}, so {} was asked: {}", promise.from,
                      names_instead(stage.topology()), asked_for, outcome.judgement.observed);
    }
    if (outcome.judgement.verdict != Verdict::pass) {
      outcome.question = engine::case_of(answers.at(worst));
      outcome.question->dns_over_tcp = tcp_;
      outcome.question->aaaa = asked[worst] == IpFamily::v6;
      if (own_) outcome.question->resolver = IpAddress::parse(promise.to);
      outcome.question->expected = of_family(expected_, asked[worst]).value_or(std::vector<IpAddress>());
    }
    outcome.journey = std::move(answers.at(worst).journey);
    outcome.kernel = std::move(answers.at(worst).kernel);
    co_return outcome;
  }

 private:
  /// Whom the node's own resolvers would ask: the one that it is to name, if it does, else one in its place.
  /// Without any they ask their own node (resolv.conf(5)).
  std::string resolver_of(const network::Topology& topology) const {
    const network::Node* node = topology.find(promise.from);
    const std::vector<IpAddress> named = node == nullptr ? std::vector<IpAddress>() : node->resolvers;
    const IpAddress wanted = *IpAddress::parse(promise.to);
    if (std::ranges::find(named, wanted) != named.end()) return promise.to;
    const auto like = std::ranges::find(named, wanted.family(), &IpAddress::family);
    if (like != named.end()) return like->to_string();
    return named.empty() ? "127.0.0.1" : named.front().to_string();
  }

  std::string names_instead(const network::Topology& topology) const {
    const network::Node* node = topology.find(promise.from);
    if (node == nullptr || node->resolvers.empty()) return "names no server";
    return fmt::format("names {} and not {}", list(node->resolvers), promise.to);
  }

  /// What is asked for: A where an IPv4 address is expected or nothing is said, AAAA for IPv6 ones.
  std::vector<IpFamily> families() const {
    std::vector<IpFamily> asked;
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
      if (expected_ && !of_family(expected_, family)->empty()) asked.push_back(family);
    }
    if (asked.empty()) asked.push_back(IpFamily::v4);
    return asked;
  }

  /// The question that decides: one that failed, else one that is open.
  static std::size_t decisive(const std::vector<Judgement>& judgements) {
    for (const Verdict verdict : {Verdict::fail, Verdict::inconclusive}) {
      const auto found = std::ranges::find(judgements, verdict, &Judgement::verdict);
      if (found != judgements.end()) return static_cast<std::size_t>(found - judgements.begin());
    }
    return 0;
  }

  static std::string told(const std::vector<IpFamily>& asked, const std::vector<Judgement>& judgements) {
    if (judgements.size() == 1 && asked.front() == IpFamily::v4) return judgements.front().observed;
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      parts.push_back(fmt::format("{}: {}", asked[i] == IpFamily::v4 ? "A" : "AAAA", judgements[i].observed));
    }
    return fmt::format("{}", fmt::join(parts, "; "));
  }

  std::string name_;
  Addresses expected_;
  bool tcp_;
  IpFamily family_;  // of the server
  bool own_;
};

/// Names as RFC 1035 bounds them, so that a slip of the pen is said before anything is built.
std::string read_name(const spec::Value& arguments) {
  const spec::Value& value = arguments.require("name", "resolve");
  std::string name = value.as_text("name");
  if (!is_host_name(name)) value.fail(fmt::format("'{}' is not a host name", name));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

Addresses read_expected(const spec::Value& arguments) {
  const spec::Value* value = arguments.find("expect");
  if (value == nullptr) return std::nullopt;
  if (value->as_list().empty()) value->fail("'expect' is empty: name the addresses, or leave it out");
  std::vector<IpAddress> addresses;
  for (const spec::Value& item : value->as_list()) {
    addresses.push_back(item.as_address("expect"));
  }
  return addresses;
}

std::vector<bool> read_transports(const spec::Value& arguments) {
  const spec::Value* value = arguments.find("with");
  if (value == nullptr) return {false, true};
  if (value->as_list().empty()) value->fail("'with' is empty: name udp, tcp or both");
  std::vector<bool> tcp;
  for (const spec::Value& item : value->as_list()) tcp.push_back(item.as_word("with", kTransports) == 1);
  return tcp;
}

/// A resolver of a family in which the node has no address is passed over, as a stub resolver does: hosts
/// hand theirs down to containers that have but one family.
bool can_ask(const network::Node& node, const IpAddress& resolver) {
  const auto has = [&](IpFamily family) { return !network::known_addresses(node, family).empty(); };
  const bool is_known = has(IpFamily::v4) || has(IpFamily::v6);
  return !is_known || resolver.is_loopback() || has(resolver.family());
}

/// Whether only the first of a node's own resolvers is meant.
bool read_first_alone(const spec::Value& arguments) {
  const spec::Value* which = arguments.find("resolvers");
  if (which == nullptr) return false;
  if (arguments.find("server") != nullptr)
    which->fail("'resolvers' are the node's own, and 'server' names another: leave one of them out");
  return which->as_word("resolvers", kWhichResolvers) == 1;
}

std::vector<engine::Party> servers_of(const spec::Value& arguments, const engine::Party& from,
                                      const network::Topology& intended) {
  const bool first_alone = read_first_alone(arguments);
  if (arguments.find("server") != nullptr)
    return {engine::read_targets(arguments, "server", intended).front()};
  const std::vector<IpFamily> families = engine::read_stated_families(arguments);
  std::vector<engine::Party> servers;
  const network::Node& node = *intended.find(from.text);
  for (const IpAddress& resolver : node.resolvers) {
    const bool wanted = families.empty() || std::ranges::find(families, resolver.family()) != families.end();
    if (!wanted || !can_ask(node, resolver)) continue;
    servers.push_back({resolver.to_string(), from.mark});
    if (first_alone) break;
  }
  if (servers.empty()) {
    throw spec::SpecError(from.mark,
                          fmt::format("{} has no resolver of its own{} that it could ask: name one with "
                                      "`server:`",
                                      from.text, families.empty() ? "" : " of that family"));
  }
  return servers;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "name", "expect", "server", "resolvers", "with", "family"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("resolve");
  arguments.allow_keys("resolve", keys);
  const std::string name = read_name(arguments);
  const Addresses expected = read_expected(arguments);
  const auto transports = read_transports(arguments);
  const bool own = arguments.find("server") == nullptr;
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Party& from : engine::read_nodes(arguments, "from", intended)) {
    for (const engine::Party& server : servers_of(arguments, from, intended)) {
      const bool named = !IpAddress::parse(server.text);
      for (const IpFamily family : engine::read_families(arguments, intended, from, server)) {
        for (const bool tcp : transports) {
          auto check = std::make_unique<Resolve>(name, expected, tcp, family, own);
          const engine::Pairing pairing{from, server, {}, family, named};
          engine::CheckResult& promise = check->promise;
          engine::describe(promise, item, pairing);
          promise.with = tcp ? "tcp" : "udp";
          promise.id = fmt::format("resolve {} {} at {} {}{}", from.text, name, server.text, promise.with,
                                   pairing.suffix());
          promise.expected =
              fmt::format("{} answers {} over {}{} with {}", server.text, from.text, promise.with,
                          named ? " and " + engine::family_name(family) : std::string(),
                          expected ? list(*expected) : "an address");
          checks.push_back(std::move(check));
        }
      }
    }
  }
  return checks;
}

}  // namespace

Judgement judge_resolve(const Addresses& expected, const engine::DnsEvidence& evidence) {
  const traffic::DnsOutcome& outcome = evidence.outcome;
  const std::string text = traffic::to_text(outcome);
  const proof::Sighting* furthest = evidence.journey.furthest();
  const std::string seen = furthest == nullptr
                               ? fmt::format("the question was never seen leaving {}", evidence.from)
                               : fmt::format("last seen at {}", engine::place(*furthest));
  if (outcome.status != traffic::DnsOutcome::Status::answered)
    return {Verdict::fail, fmt::format("{}; {}", text, seen)};
  if (outcome.addresses.empty()) return {Verdict::fail, fmt::format("{}: the answer holds no address", text)};
  const std::set<IpAddress> got(outcome.addresses.begin(), outcome.addresses.end());
  if (expected && got != std::set<IpAddress>(expected->begin(), expected->end())) {
    return {Verdict::fail,
            fmt::format("answered {} instead of {}", list(outcome.addresses), list(*expected))};
  }
  const std::string& node = evidence.server.node;
  std::optional<std::string> gap;
  if (!node.empty() && evidence.journey.arrived(node) == nullptr) {
    gap = fmt::format("{} never saw the question; {}", node, seen);
  } else if (!proof::answered_on_loopback(evidence.journey, evidence.from, evidence.server.address)) {
    gap = engine::wrong_answerer(evidence.journey, evidence.server, kDnsPort);
  }
  if (!gap) return {Verdict::pass, fmt::format("answered {}", list(outcome.addresses))};
  if (const auto blind = engine::blind_spot(evidence.journey, evidence.from)) {
    return {Verdict::inconclusive, fmt::format("{}, but {}: {}", text, *gap, *blind)};
  }
  return {Verdict::fail, fmt::format("{}, but {}", text, *gap)};
}

engine::CheckKind resolve_kind() {
  return {"resolve", "A name resolves over UDP and TCP, answered by the server that was asked.", kSchema,
          parse};
}

}  // namespace plumbline::checks
