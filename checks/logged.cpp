#include "checks/logged.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "harness/engine/check/check.hpp"
#include "harness/engine/check/kernel_view.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/nftables/trace.hpp"

namespace plumbline::checks {
namespace {

namespace nft = kernel::nft;
using engine::Judgement;
using engine::Verdict;
using proof::Leg;
using proof::Passage;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to", "prefix"],
  "if": {"required": ["never"], "properties": {"never": {"const": true}}},
  "then": {"not": {"required": ["verdict"]}},
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/targets"},
    "with": {"$ref": "#/$defs/services"},
    "family": {"$ref": "#/$defs/families"},
    "in": {"$ref": "#/$defs/name", "description": "The node that logs; the host by default."},
    "prefix": {"type": "string", "description": "Of the LOG rule, to the letter: its last space too."},
    "iif": {"$ref": "#/$defs/interface", "description": "IN= of the line; any by default."},
    "oif": {"$ref": "#/$defs/interface", "description": "OUT= of the line; any by default."},
    "verdict": {"enum": ["accept", "drop", "reject"], "description": "What becomes of the packet at that hook; any by default."},
    "never": {"type": "boolean", "description": "The probe must not be logged so."}
  }
})";

/// A log line that the probe's packet brought about.
struct Line {
  const Passage* passage = nullptr;
  std::string prefix;

  std::string text() const {
    return fmt::format("{}{} {}", prefix, engine::log_text(*passage),
                       passage->verdict.empty() ? "(what became of it is not known)" : passage->verdict);
  }
};

std::vector<Line> lines(const LoggedPromise& promise, const engine::Evidence& evidence) {
  std::vector<Line> all;
  for (const Passage& passage : evidence.kernel.passages) {
    if (passage.node != promise.node || passage.leg != Leg::forward) continue;
    for (const proof::RuleMet& rule : passage.rules) {
      if (rule.log_prefix) all.push_back({&passage, *rule.log_prefix});
    }
  }
  return all;
}

bool is_meant(const LoggedPromise& promise, const Line& line) {
  return line.prefix == promise.prefix && (!promise.iif || line.passage->iif == *promise.iif) &&
         (!promise.oif || line.passage->oif == *promise.oif);
}

std::string text_of(const std::vector<Line>& lines) {
  constexpr std::size_t shown = 4;
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < shown; ++i) text += (i == 0 ? "" : " | ") + lines[i].text();
  if (lines.size() > shown) text += fmt::format(" | and {} more", lines.size() - shown);
  return text;
}

Judgement judge_never(const LoggedPromise& promise, const engine::Evidence& evidence,
                      const std::string& outcome, const std::vector<Line>& logged,
                      const std::optional<std::string>& unseen) {
  const auto found = std::ranges::find_if(logged, [&](const Line& line) { return is_meant(promise, line); });
  if (found != logged.end()) return {Verdict::fail, found->text()};
  if (const auto absent = engine::never_came(evidence, promise.node)) {
    return {Verdict::inconclusive,
            fmt::format("{}; {}, so no rule could log it; {}", outcome, *absent, evidence.furthest())};
  }
  if (unseen) {
    return {Verdict::inconclusive, fmt::format("{}; not reported as logged so, but {}", outcome, *unseen)};
  }
  return {Verdict::pass, fmt::format("{}; not logged so; hooks of {} passed: {}{}", outcome, promise.node,
                                     proof::to_text(evidence.kernel.hooks(promise.node, Leg::forward)),
                                     logged.empty() ? "" : "; logged: " + text_of(logged))};
}

/// Says which rule: "the rule `log prefix "x"` of bridge u, chain p".
std::string rule_text(const nft::Listing::RuleKey& key, const nft::ListedRule& rule) {
  const auto& [family, table, chain, handle] = key;
  return fmt::format("the rule `{}` of {} {}, chain {},", rule.text, family, table, chain);
}

/// The chain's packets are not, or not all, marked for the trace when they come to it. A chain of the user's
/// may be jumped to from any base chain of its table.
bool comes_unmarked(const nft::Listing& listing, const nft::Listing::ChainKey& chain) {
  const auto early = [](const nft::ListedChain& base) { return base.priority <= nft::Trace::kPriority; };
  if (listing.elsewhere.contains(chain)) return true;
  if (const auto own = listing.chains.find(chain); own != listing.chains.end()) return early(own->second);
  const auto same_table = [&](const nft::Listing::ChainKey& other) {
    return std::get<0>(other) == std::get<0>(chain) && std::get<1>(other) == std::get<1>(chain);
  };
  return std::ranges::any_of(listing.elsewhere, same_table) ||
         std::ranges::any_of(listing.chains,
                             [&](const auto& base) { return same_table(base.first) && early(base.second); });
}

/// Absent: the trace names the rule wherever it logs.
std::optional<std::string> why_unseen(const nft::Listing& listing, const nft::Listing::RuleKey& key,
                                      const nft::ListedRule& rule) {
  const auto& [family, table, chain, handle] = key;
  if (family == "bridge" || family == "netdev" || comes_unmarked(listing, {family, table, chain}))
    return "packets come there before they are traced, or without";
  if (rule.may_break_after_log)
    return "no trace names a rule whose matches after the log statement do not fit";
  if (rule.logs.size() > 1) return "it logs more than once";
  return std::nullopt;
}

bool legacy_logs(const kernel::Netns& netns, const std::string& prefix) {
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    for (const std::string& name : kernel::iptables::table_names(netns, family)) {
      const auto table = kernel::iptables::read_table(netns, family, name);
      if (!table) continue;
      for (const auto& [chain, content] : *table) {
        if (std::ranges::find(content.rules, prefix, &kernel::iptables::Rule::log_prefix) !=
            content.rules.end())
          return true;
      }
    }
  }
  return false;
}

class Logged final : public engine::Check {
 public:
  Logged(const engine::Pairing& pairing, LoggedPromise meant)
      : with_(pairing.with), family_(pairing.family), meant_(std::move(meant)) {}

  std::vector<engine::Need> needs() const override { return {{promise.from, promise.to, with_}}; }
  std::vector<std::string> traced() const override { return {meant_.node}; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    engine::Target to = stage.target(promise.from, promise.to, family_);
    engine::Evidence evidence = co_await stage.exchange(promise.from, std::move(to), with_);
    engine::Outcome outcome;
    const auto unseen = meant_.never ? unseen_in(stage.network().netns(meant_.node)) : std::nullopt;
    outcome.judgement = judge_logged(meant_, evidence, unseen);
    outcome.journey = std::move(evidence.journey);
    outcome.kernel = std::move(evidence.kernel);
    co_return outcome;
  }

 private:
  std::optional<std::string> unseen_in(const kernel::Netns& netns) const {
    return unseen_log(nft::list(netns), legacy_logs(netns, meant_.prefix), meant_.prefix);
  }

  engine::Service with_;
  IpFamily family_;
  LoggedPromise meant_;
};

LoggedPromise read_promise(const spec::Value& arguments, const network::Topology& intended) {
  constexpr std::array<std::string_view, 3> verdicts{"accept", "drop", "reject"};
  constexpr std::size_t longest_name = 15;
  LoggedPromise meant;
  meant.node = engine::read_guard(arguments, "in", intended);
  meant.prefix = arguments.require("prefix", "logged").as_text("prefix");
  if (const spec::Value* iif = arguments.find("iif")) meant.iif = iif->as_name("iif", longest_name);
  if (const spec::Value* oif = arguments.find("oif")) meant.oif = oif->as_name("oif", longest_name);
  if (const spec::Value* never = arguments.find("never")) meant.never = never->as_bool("never");
  if (const spec::Value* verdict = arguments.find("verdict")) {
    meant.verdict = verdicts[verdict->as_word("verdict", verdicts)];
    if (meant.never) verdict->fail("'verdict' says nothing about what is never logged: leave it out");
  }
  return meant;
}

std::string expected_text(const LoggedPromise& meant, const engine::CheckResult& promise,
                          const std::string& what) {
  std::string text =
      fmt::format("{} from {} to {} {} by {} with the prefix \"{}\"", what, promise.from, promise.to,
                  meant.never ? "is never logged" : "is logged", meant.node, meant.prefix);
  if (meant.iif) text += " IN=" + *meant.iif;
  if (meant.oif) text += " OUT=" + *meant.oif;
  if (meant.verdict == "accept") text += ", and accepted at that hook";
  if (meant.verdict == "drop") text += ", and dropped at that hook";
  if (meant.verdict == "reject") text += ", and rejected at that hook";
  return text;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from",   "to",  "with", "family",  "in",
                                       "prefix", "iif", "oif",  "verdict", "never"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("logged");
  arguments.allow_keys("logged", keys);
  const LoggedPromise meant = read_promise(arguments, intended);
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Pairing& each : engine::read_pairings(arguments, intended)) {
    auto check = std::make_unique<Logged>(each, meant);
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    promise.id = fmt::format("logged {} -> {} {} in {} \"{}\"{}{}", promise.from, promise.to, promise.with,
                             meant.node, meant.prefix, meant.never ? " never" : "", each.suffix());
    promise.expected = expected_text(meant, promise, each.what());
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace

std::optional<std::string> unseen_log(const nft::Listing& listing, bool in_legacy, std::string_view prefix) {
  bool logs = in_legacy;
  for (const auto& [key, rule] : listing.rules) {
    if (std::ranges::find(rule.logs, prefix) == rule.logs.end()) continue;
    logs = true;
    if (const auto reason = why_unseen(listing, key, rule))
      return fmt::format("{} logs so, and {}", rule_text(key, rule), *reason);
  }
  if (!logs) return std::nullopt;
  for (const auto& [key, rule] : listing.rules) {
    if (rule.unmarks) return fmt::format("{} ends the kernel's trace of a packet", rule_text(key, rule));
  }
  return std::nullopt;
}

engine::Judgement judge_logged(const LoggedPromise& promise, const engine::Evidence& evidence,
                               const std::optional<std::string>& unseen) {
  const std::string outcome = traffic::to_text(evidence.outcome);
  if (const auto gap = engine::unreported(evidence, promise.node)) {
    return {Verdict::inconclusive, fmt::format("{}, but {}", outcome, *gap)};
  }
  const std::vector<Line> logged = lines(promise, evidence);
  if (promise.never) return judge_never(promise, evidence, outcome, logged, unseen);
  bool unknown = false;
  for (const Line& line : logged) {
    if (!is_meant(promise, line)) continue;
    if (promise.verdict.empty() || line.passage->verdict == promise.verdict)
      return {Verdict::pass, line.text()};
    unknown = unknown || line.passage->verdict.empty();
  }
  const std::string what =
      logged.empty() ? fmt::format("no rule of {} logged it; hooks passed: {}", promise.node,
                                   proof::to_text(evidence.kernel.hooks(promise.node, Leg::forward)))
                     : text_of(logged);
  return {unknown ? Verdict::inconclusive : Verdict::fail,
          fmt::format("{}; {}; {}", what, outcome, evidence.furthest())};
}

engine::CheckKind logged_kind() {
  return {"logged", "A probe meets a LOG rule, by the report of the node's kernel.", kSchema, parse};
}

}  // namespace plumbline::checks
