#include "harness/engine/inference/ping_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace plumbline::engine {
namespace {

namespace firewall = proof::firewall;
using proof::Chain;
using Verdict = firewall::RuleWords::Verdict;

/// A condition on ICMP's type, as one back end writes it.
struct TypeCondition {
  std::string_view starts;  ///< "icmp type "
  std::string_view request, reply;
  std::string_view holds;  ///< what stands for one that holds
};
// The protocol is said by nft's condition, and by iptables' own -p beside it.
constexpr std::array<TypeCondition, 2> kNft{
    {{"icmp type ", "echo-request", "echo-reply", "meta l4proto icmp"},
     {"icmpv6 type ", "echo-request", "echo-reply", "meta l4proto ipv6-icmp"}}};
constexpr std::array<TypeCondition, 2> kIptables{
    {{"-m icmp --icmp-type ", "8", "0", ""}, {"-m icmp6 --icmpv6-type ", "128", "129", ""}}};
// A state that nothing is in.
constexpr std::string_view kNeverInNft = "ct state nothing";
constexpr std::string_view kNeverInIptables = "-m conntrack --ctstate NOTHING";

std::string replaced(std::string text, const TypeCondition& condition, bool answer, std::string_view never) {
  const std::size_t start = text.find(condition.starts);
  if (start == std::string::npos || (start != 0 && text[start - 1] != ' ')) return text;
  const std::size_t value = start + condition.starts.size();
  if (value >= text.size() || text[value] == '!' || text[value] == '@') return text;
  if (text.compare(value, 4, "vmap") == 0) return text;
  const bool set = text[value] == '{';
  std::size_t end = set ? text.find('}', value) : text.find(' ', value);
  if (set && end == std::string::npos) return text;
  end = std::min(set ? end + 1 : end, text.size());
  std::string values = " " + text.substr(value, end - value) + " ";
  // A map, a code beside the type, a range of numbers, fields at once: beyond us.
  if (values.find_first_of(":/.") != std::string::npos) return text;
  std::ranges::replace_if(
      values, [](char c) { return c == ',' || c == '{' || c == '}'; }, ' ');
  const std::string wanted = " " + std::string(answer ? condition.reply : condition.request) + " ";
  const bool holds = values.find(wanted) != std::string::npos;
  return text.replace(start, end - start, holds ? condition.holds : never);
}

/// Whether a rule may turn it, or what it answers, to another target.
bool may_be_turned(const std::vector<Chain>& chains, firewall::RulePacket packet) {
  if (packet.state == "established") {
    std::swap(packet.source, packet.destination);
    std::swap(packet.source_port, packet.destination_port);
  }
  for (const Chain& chain : chains) {
    for (const Chain::Rule& rule : chain.rules) {
      const auto words = firewall::read_rule(chain.backend, rule.text);
      if (words.translates_destination() &&
          firewall::matches_but_for_interfaces(words, packet) != firewall::Match::no)
        return true;
    }
  }
  return false;
}

bool is_same(const Chain& one, const Chain& other) {
  return one.backend == other.backend && one.family == other.family && one.table == other.table &&
         one.name == other.name;
}

/// The same place in `chains`, where the rules have their own words.
firewall::Decision found_again(const std::vector<Chain>& chains, firewall::Decision decision) {
  const auto again = [&](const Chain*& chain, const Chain::Rule*& rule) {
    const auto found = std::ranges::find_if(chains, [&](const Chain& each) { return is_same(each, *chain); });
    chain = &*found;
    if (rule != nullptr) rule = &*std::ranges::find(found->rules, rule->number, &Chain::Rule::number);
  };
  if (decision.chain != nullptr) again(decision.chain, decision.rule);
  decision.jumps.clear();
  return decision;
}

/// Takes a rule out that accepts or stops what it is not known to hold for; absent: what it does is not so
/// plain.
std::optional<bool> take_out(std::vector<Chain>& chains, const firewall::Decision& decision) {
  if (decision.rule == nullptr) return std::nullopt;
  const auto words = firewall::read_rule(decision.chain->backend, decision.rule->text);
  if (words.verdict != Verdict::accept && !words.stops()) return std::nullopt;
  const std::uint64_t number = decision.rule->number;
  const auto chain =
      std::ranges::find_if(chains, [&](const Chain& each) { return is_same(each, *decision.chain); });
  std::erase_if(chain->rules, [&](const Chain::Rule& rule) { return rule.number == number; });
  return words.stops();
}

/// The chains of `base`'s table, in the words of as_ping_meets.
std::vector<Chain> table_for(const std::vector<Chain>& chains, const Chain& base,
                             const firewall::RulePacket& packet) {
  constexpr std::string_view kTurned = "ct status dnat ";  // as firewalld asks
  std::optional<bool> turned;
  std::vector<Chain> read;
  for (const Chain& chain : chains) {
    if (chain.backend != base.backend || chain.family != base.family || chain.table != base.table) continue;
    read.push_back(chain);
    for (Chain::Rule& rule : read.back().rules) {
      rule.text = as_ping_meets(chain.backend, rule.text, packet.state == "established");
      const std::size_t at = rule.text.find(kTurned);
      if (at == std::string::npos) continue;
      if (!turned) turned = may_be_turned(chains, packet);
      if (!*turned) rule.text.replace(at, kTurned.size(), "ct state nothing ");
    }
  }
  return read;
}

}  // namespace

std::string as_ping_meets(proof::RuleMet::Backend backend, std::string_view text, bool answer) {
  const bool nft = backend == proof::RuleMet::Backend::nftables;
  std::string said(text);
  for (const TypeCondition& condition : nft ? kNft : kIptables) {
    said = replaced(std::move(said), condition, answer, nft ? kNeverInNft : kNeverInIptables);
  }
  return said;
}

firewall::Decision decide_ping(const std::vector<Chain>& chains, const Chain& base,
                               const firewall::RulePacket& packet) {
  constexpr int kMostDoubts = 16;
  std::vector<Chain> read = table_for(chains, base, packet);
  const auto own = std::ranges::find_if(read, [&](const Chain& each) { return is_same(each, base); });
  std::optional<firewall::Decision> first_doubt;
  bool may_stop = false;
  bool may_pass = false;
  for (int i = 0; i < kMostDoubts; ++i) {
    const firewall::Decision decision = firewall::decide(read, *own, packet);
    if (decision.certain()) {
      const bool agreed = decision.stops() ? !may_pass : !may_stop;
      return agreed || !first_doubt ? found_again(chains, decision) : *first_doubt;
    }
    if (!first_doubt) first_doubt = found_again(chains, decision);
    const auto stops = take_out(read, decision);
    if (!stops) break;
    (*stops ? may_stop : may_pass) = true;
  }
  return *first_doubt;
}

MarkingRule may_mark(const std::vector<Chain>& chains, const firewall::RulePacket& packet) {
  constexpr std::array<std::string_view, 5> kMarks{"mark set ", "-j MARK", "-j CONNMARK", "xt target \"MARK",
                                                   "xt target \"CONNMARK"};
  for (const Chain& chain : chains) {
    if (chain.family == "bridge") continue;
    if (chain.hook && *chain.hook != proof::Hook::prerouting) continue;
    const IpFamily family = packet.source.family();
    if (chain.family == (family == IpFamily::v4 ? "ip6" : "ip")) continue;
    for (const Chain::Rule& rule : chain.rules) {
      const bool marks = std::ranges::any_of(
          kMarks, [&](std::string_view words) { return rule.text.find(words) != std::string::npos; });
      if (!marks) continue;
      const auto words = firewall::read_rule(chain.backend, rule.text);
      if (firewall::matches(words, packet) != firewall::Match::no) return {&chain, &rule};
    }
  }
  return {};
}

}  // namespace plumbline::engine
