// What rules, read into words, do with a packet.
#include <algorithm>
#include <optional>
#include <utility>

#include "harness/proof/diagnosis/rule_words.hpp"

namespace plumbline::proof::firewall {
namespace {

using Verdict = RuleWords::Verdict;

template <class Value>
Match match_of(const std::optional<Allowed<Value>>& condition, const std::optional<Value>& value) {
  if (!condition) return Match::yes;
  if (!value) return Match::maybe;
  return (*condition)(*value) ? Match::yes : Match::no;
}

template <class Value>
bool covers(const std::optional<Allowed<Value>>& outer, const std::optional<Allowed<Value>>& inner) {
  if (!outer) return true;
  return inner && outer->covers(*inner);
}

const Chain* chain_named(const std::vector<Chain>& chains, const Chain& like, const std::string& name) {
  const auto found = std::ranges::find_if(chains, [&](const Chain& chain) {
    return chain.backend == like.backend && chain.family == like.family && chain.table == like.table &&
           chain.name == name;
  });
  return found == chains.end() ? nullptr : &*found;
}

constexpr unsigned kDepth = 16;  ///< of jumps, as the kernel bounds them

Decision undecided(const Chain& chain, const Chain::Rule* rule) {
  return {&chain, rule, Verdict::other, {}, {}};
}

Decision walk(const std::vector<Chain>& chains, const Chain& chain, const RulePacket& packet,
              std::size_t first, unsigned depth) {
  for (std::size_t i = first; i < chain.rules.size(); ++i) {
    const Chain::Rule& rule = chain.rules[i];
    const RuleWords words = read_rule(chain.backend, rule.text);
    if (words.verdict == Verdict::none) continue;
    const Match match = matches(words, packet);
    if (match == Match::no) continue;
    if (match == Match::maybe) return undecided(chain, &rule);
    if (words.verdict == Verdict::back) return {};
    // What becomes of it where it is led to, is another matter.
    if (words.translates_destination()) return undecided(chain, &rule);
    if (words.verdict != Verdict::jump && words.verdict != Verdict::go_to)
      return {&chain, &rule, words.verdict, words.target, {}};
    const Chain* next = chain_named(chains, chain, words.target);
    if (next == nullptr || depth >= kDepth) return undecided(chain, &rule);
    Decision inner = walk(chains, *next, packet, 0, depth + 1);
    if (inner.verdict != Verdict::none) {
      inner.jumps.insert(inner.jumps.begin(), {&chain, &rule});
      return inner;
    }
    if (words.verdict == Verdict::go_to) return {};
  }
  return {};
}

}  // namespace

Match matches(const RuleWords& rule, const RulePacket& packet) {
  const auto name = [](const std::string& text) { return std::optional<std::string>(text); };
  const char* carried = packet.arp ? "arp" : packet.source.is_v4() ? "ip" : "ip6";
  const bool of_ip = rule.family || rule.source || rule.destination || rule.protocol || rule.source_port ||
                     rule.destination_port;
  if (packet.arp && of_ip) return Match::no;
  const auto state = packet.state.empty() ? std::nullopt : name(packet.state);
  const Match all[] = {
      !rule.family || *rule.family == packet.source.family() ? Match::yes : Match::no,
      match_of(rule.ether, name(carried)),
      match_of(rule.iif, name(packet.iif)),
      match_of(rule.oif, name(packet.oif)),
      match_of(rule.source, std::optional(packet.source)),
      match_of(rule.destination, std::optional(packet.destination)),
      match_of(rule.protocol, packet.protocol),
      match_of(rule.source_port, packet.source_port),
      match_of(rule.destination_port, packet.destination_port),
      match_of(rule.state, state),
      rule.doubt ? Match::maybe : Match::yes,
  };
  return *std::ranges::min_element(all);
}

Match matches_but_for_oif(RuleWords rule, const RulePacket& packet) {
  rule.oif.reset();
  return matches(rule, packet);
}

Match matches_but_for_interfaces(RuleWords rule, const RulePacket& packet) {
  rule.iif.reset();
  rule.oif.reset();
  return matches(rule, packet);
}

bool covers(const RuleWords& outer, const RuleWords& inner, bool interfaces) {
  if (outer.doubt) return false;
  if (outer.family && outer.family != inner.family) return false;
  if (!covers(outer.ether, inner.ether)) return false;
  if (interfaces && !(covers(outer.iif, inner.iif) && covers(outer.oif, inner.oif))) return false;
  return covers(outer.source, inner.source) && covers(outer.destination, inner.destination) &&
         covers(outer.protocol, inner.protocol) && covers(outer.source_port, inner.source_port) &&
         covers(outer.destination_port, inner.destination_port) && covers(outer.state, inner.state);
}

Decision decide(const std::vector<Chain>& chains, const Chain& chain, const RulePacket& packet,
                std::size_t first) {
  Decision decision = walk(chains, chain, packet, first, 0);
  if (decision.verdict != Verdict::none || chain.policy.empty()) return decision;
  return {&chain, nullptr, chain.policy == "drop" ? Verdict::drop : Verdict::accept, {}, {}};
}

}  // namespace plumbline::proof::firewall
