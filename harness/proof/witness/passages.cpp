#include "harness/proof/witness/passages.hpp"

#include <algorithm>
#include <optional>

#include "harness/proof/witness/copies.hpp"
#include "harness/traffic/packet/packet.hpp"

namespace plumbline::proof {
namespace {

using kernel::nft::TraceEvent;
using LegacyEvent = kernel::iptables::TraceEvent;

/// A rule and its place among the others at its hook.
struct Placed {
  std::int32_t priority = 0;
  RuleMet rule;
};

struct Draft {
  Passage passage;
  std::uint32_t id = 0;  ///< of the packet, in nf_tables' reports
  PacketIdentity identity;
  std::vector<Placed> rules;
};

RuleMet::Kind kind_of(TraceEvent::Type type) {
  switch (type) {
    case TraceEvent::Type::rule:
      return RuleMet::Kind::rule;
    case TraceEvent::Type::returned:
      return RuleMet::Kind::returned;
    case TraceEvent::Type::policy:
      return RuleMet::Kind::policy;
  }
  return RuleMet::Kind::rule;
}

/// Of packets that come to the end of a base chain the kernel says so before it tells the policy.
bool is_no_rule(const TraceEvent& event) {
  return event.type == TraceEvent::Type::rule && event.handle == 0 && event.verdict == "continue";
}

RuleMet rule_met(const TraceEvent& event, const Rulebook& rules) {
  RuleMet met;
  met.kind = kind_of(event.type);
  met.family = event.family;
  met.table = event.table;
  met.chain = event.chain;
  met.verdict = event.verdict;
  if (event.type == TraceEvent::Type::returned && met.verdict.empty()) met.verdict = "return";
  if (event.type != TraceEvent::Type::rule) return met;
  met.number = event.handle;
  const auto* listed = rules.nft.rule(event.family, event.table, event.chain, event.handle);
  if (listed == nullptr) return met;
  met.text = listed->text;
  met.log_prefix = listed->log_prefix;
  if (listed->rejects && met.verdict == "drop") met.verdict = "reject";
  return met;
}

/// In ip_tables' eyes a rule without matches that ends the chain is like the chain's end, whose number comes
/// after the last rule's.
RuleMet rule_met(const LegacyEvent& event, const Rulebook& rules) {
  RuleMet met;
  met.backend = RuleMet::Backend::iptables_legacy;
  met.family = event.family == IpFamily::v4 ? "ip" : "ip6";
  met.table = event.table;
  met.chain = event.chain;
  const auto table = rules.legacy.find({event.family, event.table});
  const kernel::iptables::Chain* chain = nullptr;
  if (table != rules.legacy.end()) {
    const auto found = table->second.find(event.chain);
    if (found != table->second.end()) chain = &found->second;
  }
  const std::size_t count = chain == nullptr ? 0 : chain->rules.size();
  if (event.type == LegacyEvent::Type::rule || event.number <= count) {
    met.number = event.number;
    if (event.number == 0 || event.number > count) return met;
    const kernel::iptables::Rule& rule = chain->rules[event.number - 1];
    met.text = rule.text;
    met.verdict = rule.verdict;
    met.log_prefix = rule.log_prefix;
    return met;
  }
  const bool policy = event.type == LegacyEvent::Type::policy;
  met.kind = policy ? RuleMet::Kind::policy : RuleMet::Kind::returned;
  met.verdict = !policy ? "return" : chain == nullptr ? "" : chain->policy;
  return met;
}

std::optional<Hook> hook_of(std::uint8_t number) {
  // enum nf_inet_hooks
  constexpr Hook hooks[] = {Hook::prerouting, Hook::input, Hook::forward, Hook::output, Hook::postrouting};
  return number < std::size(hooks) ? std::optional(hooks[number]) : std::nullopt;
}

/// enum nf_ip_hook_priorities
std::int32_t priority_of(const std::string& table, Hook hook) {
  if (table == "raw") return -300;
  if (table == "mangle") return -150;
  if (table == "security") return 50;
  if (table == "nat") return hook == Hook::input || hook == Hook::postrouting ? 100 : -100;
  return 0;
}

class Assembly {
 public:
  Assembly(const std::string& node, const Rulebook& rules) : node_(node), rules_(rules) {}

  void add(const NodeReports::Nft& item) {
    const ChainReport& report = *item.report;
    if (report.events.empty()) return;
    const TraceEvent& first = report.events.front();
    if (const auto own = kernel::nft::Trace::place_of(first, rules_.own_table)) {
      const auto& headers = report.headers;
      Draft& draft = begin(own->hook, item.leg, headers.packet, headers.iif, headers.oif);
      draft.id = report.id;
      draft.passage.bridge = own->bridge;
      return;
    }
    if (kernel::nft::Trace::is_own(first.family, first.table)) return;  // another process's
    // Ours is the first chain at every hook, so what else is reported of the packet is at the hook last
    // entered: of its own kind, since br_netfilter calls IP's hooks amid a bridge's.
    const bool bridge = first.family == kernel::nft::Trace::kBridgeFamily;
    const auto draft = std::find_if(drafts_.rbegin(), drafts_.rend(), [&](const Draft& d) {
      return d.id == report.id && d.passage.leg == item.leg && d.passage.bridge == bridge;
    });
    if (draft == drafts_.rend()) return;
    const auto* base = rules_.nft.chain(first.family, first.table, first.chain);
    for (const TraceEvent& event : report.events) {
      if (is_no_rule(event)) continue;
      draft->rules.push_back({base == nullptr ? 0 : base->priority, rule_met(event, rules_)});
    }
  }

  void add(const NodeReports::Legacy& item) {
    const auto hook = hook_of(item.event.hook);
    if (!hook) return;
    const PacketIdentity identity =
        identity_of(traffic::decode(item.event.packet, traffic::LinkType::raw_ip));
    const RuleMet met = rule_met(item.event, rules_);
    Draft* chosen = nullptr;
    for (Draft& draft : drafts_) {
      const bool fits = draft.passage.hook == *hook && !draft.passage.bridge &&
                        draft.passage.leg == item.leg && draft.identity == identity;
      if (!fits) continue;
      chosen = &draft;
      // A packet sent again looks the same: what the first has met already is the second's.
      if (!has(draft, met)) break;
    }
    if (chosen == nullptr) {
      chosen = &begin(*hook, item.leg, item.event.packet, item.event.iif, item.event.oif);
    }
    chosen->rules.push_back({priority_of(met.table, *hook), met});
  }

  std::vector<Passage> take() {
    for (Draft& draft : drafts_) put_in_order(draft);
    std::vector<Passage> done;
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      drafts_[i].passage.verdict = verdict(i);
      done.push_back(std::move(drafts_[i].passage));
    }
    note_copies(done);
    return done;
  }

 private:
  Draft& begin(Hook hook, Leg leg, const std::vector<std::uint8_t>& bytes, unsigned iif, unsigned oif) {
    const traffic::Packet packet = traffic::decode(bytes, traffic::LinkType::raw_ip);
    Draft& draft = drafts_.emplace_back();
    draft.identity = identity_of(packet);
    draft.passage.identity = draft.identity;
    draft.passage.node = node_;
    draft.passage.hook = hook;
    draft.passage.leg = leg;
    // A packet that leaves keeps the interface it came in by; at output and postrouting nft tells it, LOG
    // does not.
    const bool comes_in = hook == Hook::prerouting || hook == Hook::input || hook == Hook::forward;
    const bool goes_out = hook == Hook::forward || hook == Hook::output || hook == Hook::postrouting;
    if (comes_in && iif != 0) draft.passage.iif = rules_.interface_name(iif);
    if (goes_out && oif != 0) draft.passage.oif = rules_.interface_name(oif);
    draft.passage.packet = traffic::to_text(packet);
    if (packet.ip) {
      draft.passage.source = packet.ip->source;
      draft.passage.destination = packet.ip->destination;
    }
    return draft;
  }

  static bool has(const Draft& draft, const RuleMet& met) {
    return std::ranges::any_of(draft.rules, [&](const Placed& placed) {
      const RuleMet& rule = placed.rule;
      return rule.backend == met.backend && rule.table == met.table && rule.chain == met.chain &&
             rule.kind == met.kind && rule.number == met.number;
    });
  }

  /// By priority. Which of two back ends runs first at the same one, nothing tells; but after what stops a
  /// packet nothing comes.
  static void put_in_order(Draft& draft) {
    std::ranges::stable_sort(draft.rules, {}, &Placed::priority);
    const auto last =
        std::ranges::find_if(draft.rules, [](const Placed& placed) { return placed.rule.stops(); });
    if (last != draft.rules.end()) {
      const RuleMet::Backend backend = last->rule.backend;
      const std::int32_t priority = last->priority;
      std::stable_partition(std::ranges::lower_bound(draft.rules, priority, {}, &Placed::priority),
                            std::ranges::upper_bound(draft.rules, priority, {}, &Placed::priority),
                            [&](const Placed& placed) { return placed.rule.backend != backend; });
    }
    for (Placed& placed : draft.rules) draft.passage.rules.push_back(std::move(placed.rule));
  }

  std::string verdict(std::size_t index) const {
    const Draft& draft = drafts_[index];
    for (const RuleMet& rule : draft.passage.rules) {
      if (rule.stops()) return rule.verdict;
    }
    const Hook hook = draft.passage.hook;
    if (hook != Hook::forward && hook != Hook::output) return "accept";
    // Nothing lies between these hooks and postrouting that could stop a packet and be none of netfilter's.
    for (std::size_t i = index + 1; i < drafts_.size(); ++i) {
      const Draft& later = drafts_[i];
      if (later.identity != draft.identity || later.passage.leg != draft.passage.leg) continue;
      if (draft.passage.bridge != later.passage.bridge) continue;
      if (draft.passage.bridge && later.passage.oif != draft.passage.oif) continue;
      if (later.passage.hook == Hook::postrouting) return "accept";
    }
    return {};
  }

  const std::string& node_;
  const Rulebook& rules_;
  std::vector<Draft> drafts_;
};

}  // namespace

std::vector<Passage> passages(const std::string& node, const NodeReports& reports, const Rulebook& rules) {
  Assembly assembly(node, rules);
  for (const NodeReports::Nft& item : reports.nft) assembly.add(item);
  for (const NodeReports::Legacy& item : reports.legacy) assembly.add(item);
  return assembly.take();
}

}  // namespace plumbline::proof
