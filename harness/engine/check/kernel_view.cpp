#include "harness/engine/check/kernel_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "harness/engine/check/check.hpp"
#include "harness/proof/witness/placement.hpp"

namespace plumbline::engine {
namespace {

std::string rule_text(const proof::RuleMet& rule) {
  switch (rule.kind) {
    case proof::RuleMet::Kind::policy:
      return "policy";
    case proof::RuleMet::Kind::returned:
      return "return";
    case proof::RuleMet::Kind::rule:
      break;
  }
  if (!rule.text.empty()) return rule.text;
  const bool legacy = rule.backend == proof::RuleMet::Backend::iptables_legacy;
  return fmt::format("{} {}", legacy ? "rule" : "rule with handle", rule.number);
}

KernelEvent at_hook(const proof::Passage& passage) {
  KernelEvent event;
  event.node = passage.node;
  event.hook = passage.hook_text();
  event.leg = leg_text(passage.leg);
  event.iif = passage.iif;
  event.oif = passage.oif;
  event.packet = passage.packet;
  event.verdict = passage.verdict;
  return event;
}

KernelEvent at_rule(const proof::Passage& passage, const proof::RuleMet& rule) {
  KernelEvent event = at_hook(passage);
  event.table = rule.family + " " + rule.table;
  event.chain = rule.chain;
  event.rule = rule_text(rule);
  event.handle = rule.number;
  event.comment = rule.comment;
  event.packets = rule.packets;
  event.verdict = rule.verdict;
  event.log_prefix = rule.log_prefix;
  return event;
}

KernelEvent of_drop(const proof::Drop& drop) {
  KernelEvent event;
  event.node = drop.node;
  event.leg = leg_text(drop.leg);
  event.iif = drop.interface;
  event.drop_reason = drop.reason;
  event.function = drop.function;
  event.packet = drop.packet;
  return event;
}

bool same_rule(const KernelEvent& a, const KernelEvent& b) {
  const auto key = [](const KernelEvent& e) {
    return std::tie(e.node, e.hook, e.leg, e.iif, e.oif, e.table, e.chain, e.rule, e.handle, e.verdict,
                    e.drop_reason, e.function);
  };
  return key(a) == key(b);
}

void add(std::vector<KernelEvent>& events, KernelEvent event, std::size_t after) {
  event.after = after;
  const bool told = std::ranges::any_of(events, [&](const KernelEvent& e) { return same_rule(e, event); });
  if (!told) events.push_back(std::move(event));
}

}  // namespace

std::vector<std::string> traced_nodes(const std::vector<std::unique_ptr<Check>>& checks) {
  std::set<std::string> nodes;
  for (const auto& check : checks) {
    for (std::string& node : check->traced()) nodes.insert(std::move(node));
  }
  return {nodes.begin(), nodes.end()};
}

std::vector<KernelEvent> kernel_events(const proof::Journey& journey, const proof::KernelPath& path) {
  const proof::Placement placement = proof::place(journey, path);
  std::vector<KernelEvent> events;
  for (std::size_t i = 0; i < path.passages.size(); ++i) {
    const proof::Passage& passage = path.passages[i];
    if (passage.rules.empty()) add(events, at_hook(passage), placement.passages[i]);
    for (const proof::RuleMet& rule : passage.rules) {
      add(events, at_rule(passage, rule), placement.passages[i]);
    }
  }
  for (std::size_t i = 0; i < path.drops.size(); ++i) {
    add(events, of_drop(path.drops[i]), placement.drops[i]);
  }
  std::ranges::stable_sort(events, {}, &KernelEvent::after);
  return events;
}

std::optional<std::string> unreported(const Evidence& evidence, std::string_view node) {
  if (auto blind = evidence.kernel.blind(node)) return blind;
  // Whose packet a report is about, the taps tell.
  if (!evidence.journey.complete) return "the capture lost frames";
  const bool sent = evidence.outcome.status != traffic::ProbeOutcome::Status::local_error;
  const bool seen = evidence.journey.passed(evidence.from) != nullptr;
  if (sent && !seen && !evidence.kernel.passed(node, proof::Leg::forward)) {
    return fmt::format("the capture did not even see it leave {}", evidence.from);
  }
  return std::nullopt;
}

std::optional<std::string> never_came(const Evidence& evidence, std::string_view node) {
  const bool was_there = evidence.kernel.passed(node, proof::Leg::forward) ||
                         evidence.journey.passed(std::string(node)) != nullptr;
  if (was_there || evidence.answered() || !evidence.delivered_to.empty()) return std::nullopt;
  return fmt::format("it got neither to {} nor to its target", node);
}

std::string log_text(const proof::Passage& passage) {
  return fmt::format("IN={} OUT={} SRC={} DST={}", passage.iif, passage.oif, passage.source.to_string(),
                     passage.destination.to_string());
}

}  // namespace plumbline::engine
