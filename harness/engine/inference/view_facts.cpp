#include "harness/engine/inference/view_facts.hpp"

#include <algorithm>
#include <cerrno>

#include "harness/base/error.hpp"
#include "harness/engine/check/chains.hpp"
#include "harness/engine/inference/ping_rules.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/proof/diagnosis/firewall.hpp"

namespace plumbline::engine {
namespace {

namespace firewall = proof::firewall;
namespace netlink = kernel::netlink;
using Verdict = firewall::RuleWords::Verdict;

/// 0: there is none of that name.
unsigned index_of(const network::Node& node, const std::string& interface) {
  const network::Interface* found = node.find_interface(interface);
  return found == nullptr ? 0 : found->index;
}

std::string told(std::string_view node, const firewall::Decision& decision) {
  return firewall::place_of(node, decision).to_string();
}

RuleAnswer rule_answer(std::string_view node, const firewall::Decision& decision) {
  if (decision.stops()) return {RuleAnswer::Kind::stops, told(node, decision)};
  if (!decision.certain()) return {RuleAnswer::Kind::unknown, told(node, decision)};
  return {};
}

bool is_same(const proof::Chain& one, const proof::Chain& other) {
  return one.backend == other.backend && one.family == other.family && one.table == other.table &&
         one.name == other.name;
}

/// Takes the rule that `decision` rests on out of `chains`. False: it is none that masquerades.
bool take_out_doubted(std::vector<proof::Chain>& chains, const firewall::Decision& decision) {
  if (decision.certain() || decision.rule == nullptr) return false;
  if (firewall::read_rule(decision.chain->backend, decision.rule->text).verdict != Verdict::masquerade)
    return false;
  const std::uint64_t number = decision.rule->number;
  for (proof::Chain& chain : chains) {
    if (!is_same(chain, *decision.chain)) continue;
    return std::erase_if(chain.rules, [&](const auto& rule) { return rule.number == number; }) != 0;
  }
  return false;
}

/// The rule that masquerades it for certain, behind some that would do the same and of which it is not known
/// whether they hold: by a mark, as Podman has it for published ports. Empty: there is none.
std::string masquerades_in_any_case(std::vector<proof::Chain> chains, const proof::Chain& base,
                                    const firewall::RulePacket& packet, std::string_view node) {
  constexpr int kMostDoubts = 8;
  for (int i = 0; i < kMostDoubts; ++i) {
    const auto from =
        std::ranges::find_if(chains, [&](const proof::Chain& each) { return is_same(each, base); });
    if (from == chains.end()) break;
    const firewall::Decision decision = firewall::decide(chains, *from, packet);
    if (decision.verdict == Verdict::masquerade) return told(node, decision);
    if (!take_out_doubted(chains, decision)) break;
  }
  return {};
}

}  // namespace

ViewFacts::ViewFacts(const network::HostView& view) : view_(view) {
  for (const auto& [name, text] : view.firewalls) {
    std::vector<proof::Chain>& chains = chains_[name];
    add_nft_listing(chains, text.nft);
    for (const auto& [key, table] : text.legacy) {
      add_legacy_table(chains, key.first == "ip" ? IpFamily::v4 : IpFamily::v6, key.second, table);
    }
  }
}

proof::RouteAnswer ViewFacts::route(std::string_view node, const proof::RouteQuestion& question) {
  proof::RouteAnswer answer;
  answer.error = ENODEV;
  const network::Node* asked = view_.topology.find(node);
  if (asked == nullptr) return answer;
  netlink::RouteLookup lookup;
  lookup.to = question.to;
  lookup.from = question.from;
  lookup.mark = question.mark;
  lookup.iif = question.iif.empty() ? 0 : index_of(*asked, question.iif);
  lookup.oif = question.oif.empty() ? 0 : index_of(*asked, question.oif);
  if ((lookup.iif == 0) != question.iif.empty() || (lookup.oif == 0) != question.oif.empty()) return answer;
  try {
    auto socket = netlink::Socket::open(view_.network.netns(node));
    const netlink::LookupResult result = netlink::look_up(socket, lookup);
    answer.error = result.error;
    if (!result.route) return answer;
    answer = {result.route->type, result.route->via, result.route->source, {}, result.route->table, 0};
    const auto dev = std::ranges::find(asked->interfaces, result.route->dev, &network::Interface::index);
    if (dev != asked->interfaces.end()) answer.dev = dev->name;
  } catch (const Error& error) {
    answer.error = error.error_number() != 0 ? error.error_number() : EIO;
  }
  return answer;
}

std::optional<std::string> ViewFacts::sysctl(std::string_view node, const std::string& path) {
  try {
    return kernel::read_sysctl(view_.network.netns(node), path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<netlink::Link> ViewFacts::link(std::string_view node, std::string_view interface) {
  auto known = links_.find(node);
  if (known == links_.end()) {
    known = links_.emplace(std::string(node), std::vector<netlink::Link>()).first;
    try {
      auto socket = netlink::Socket::open(view_.network.netns(node));
      known->second = socket.dump(netlink::get_links(), "links", netlink::decode_link);
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): what cannot be read is absent
    }
  }
  const auto found = std::ranges::find(known->second, interface, &netlink::Link::name);
  return found == known->second.end() ? std::nullopt : std::optional(*found);
}

const std::vector<proof::Chain>& ViewFacts::chains(std::string_view node) {
  static const std::vector<proof::Chain> kNone;
  const auto found = chains_.find(node);
  return found == chains_.end() ? kNone : found->second;
}

void RuleAnswer::then(const RuleAnswer& next, std::string_view before) {
  if (stops() || next.passes() || (!passes() && !next.stops())) return;
  kind = next.kind;
  by = std::string(before) + next.by;
}

RuleAnswer rules_at(ViewFacts& facts, std::string_view node, proof::Hook hook,
                    const firewall::RulePacket& packet) {
  RuleAnswer answer;
  for (const proof::Chain* chain :
       firewall::base_chains(facts, node, hook, packet.source.family(), "filter")) {
    // One chain's accept is no word for the next; a drop is the end.
    answer.then(rule_answer(node, decide_ping(facts.chains(node), *chain, packet)));
  }
  return answer;
}

RuleAnswer frame_rules_at(ViewFacts& facts, std::string_view node, proof::Hook hook,
                          const firewall::RulePacket& packet) {
  RuleAnswer answer;
  for (const proof::Chain& chain : facts.chains(node)) {
    if (chain.family != "bridge" || chain.hook != hook) continue;
    answer.then(rule_answer(node, decide_ping(facts.chains(node), chain, packet)));
    if (!packet.source.is_v4()) continue;
    firewall::RulePacket arp = packet;
    arp.arp = true;
    answer.then(rule_answer(node, firewall::decide(facts.chains(node), chain, arp)));
  }
  return answer;
}

RuleAnswer marked_at(ViewFacts& facts, std::string_view node, const firewall::RulePacket& packet) {
  const network::Node* asked = facts.topology().find(node);
  if (asked == nullptr) return {};
  const bool by_marks = std::ranges::any_of(asked->rules, [&](const network::RoutingRule& rule) {
    return rule.mark != 0 && rule.family == packet.source.family();
  });
  const MarkingRule found = by_marks ? may_mark(facts.chains(node), packet) : MarkingRule{};
  if (found.rule == nullptr) return {};
  const firewall::Decision decision{found.chain, found.rule, Verdict::other, {}, {}};
  return {RuleAnswer::Kind::unknown, "the mark that routing goes by: " + told(node, decision)};
}

SourceNat source_nat(ViewFacts& facts, std::string_view node, const firewall::RulePacket& packet) {
  for (const proof::Chain* chain :
       firewall::base_chains(facts, node, proof::Hook::postrouting, packet.source.family(), "nat")) {
    const firewall::Decision decision = firewall::decide(facts.chains(node), *chain, packet);
    if (decision.verdict == Verdict::masquerade) {
      return {SourceNat::Kind::masquerade, {}, told(node, decision)};
    }
    if (decision.verdict == Verdict::snat) {
      return {SourceNat::Kind::snat, decision.target, told(node, decision)};
    }
    if (decision.certain()) continue;
    const std::string by = masquerades_in_any_case(facts.chains(node), *chain, packet, node);
    if (!by.empty()) return {SourceNat::Kind::masquerade, {}, by};
    return {SourceNat::Kind::unknown, {}, told(node, decision)};
  }
  return {};
}

}  // namespace plumbline::engine
