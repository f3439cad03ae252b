#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/proof/diagnosis/facts.hpp"

/// What a rule means, read from its words: those of nft and those of `iptables -S`. What is not understood is
/// kept as a doubt, so that nothing is concluded from it.
namespace plumbline::proof::firewall {

/// What a rule's condition lets through: ranges, both ends included; inverted: all but these.
template <class Value>
struct Allowed {
  std::vector<std::pair<Value, Value>> ranges;
  bool inverted = false;

  bool operator()(const Value& value) const {
    for (const auto& [first, last] : ranges) {
      if (first <= value && value <= last) return !inverted;
    }
    return inverted;
  }
  /// Whether everything that `other` lets through, this one does.
  bool covers(const Allowed& other) const {
    if (inverted || other.inverted) return inverted == other.inverted && ranges == other.ranges;
    for (const auto& [first, last] : other.ranges) {
      bool inside = false;
      for (const auto& [low, high] : ranges) inside = inside || (low <= first && last <= high);
      if (!inside) return false;
    }
    return true;
  }
  friend bool operator==(const Allowed&, const Allowed&) = default;
};

struct RuleWords {
  enum class Verdict : std::uint8_t {
    none,  ///< it goes on to the next rule
    accept,
    drop,
    reject,
    jump,
    go_to,
    back,  ///< return
    masquerade,
    snat,
    dnat,   ///< or redirect, tproxy: it leads to another destination
    other,  ///< ends the way through the chain in a way that is not told here: queue
  };
  using Names = Allowed<std::string>;  ///< "br*" is the range from "br" to "br\x7f…"

  std::optional<IpFamily> family;
  std::optional<Names> ether;  ///< what a frame carries: "ip", "ip6", "arp"
  std::optional<Names> iif, oif;
  std::optional<Allowed<IpAddress>> source, destination;
  std::optional<Allowed<std::uint16_t>> protocol;  ///< IPPROTO_…
  std::optional<Allowed<std::uint16_t>> source_port, destination_port;
  std::optional<Names> state;  ///< of conntrack: "new", "established", "related", "invalid", "untracked"
  bool doubt = false;          ///< it has conditions that are not told here
  Verdict verdict = Verdict::none;
  std::string target;  ///< jump, go_to: the chain; snat: the address

  bool stops() const { return verdict == Verdict::drop || verdict == Verdict::reject; }
  bool translates_source() const { return verdict == Verdict::masquerade || verdict == Verdict::snat; }
  bool translates_destination() const { return verdict == Verdict::dnat; }
};

/// Never throws; whatever is not understood sets `doubt`.
RuleWords read_rule(RuleMet::Backend backend, std::string_view text);

/// A packet as rules see it.
struct RulePacket {
  IpAddress source, destination;
  std::string iif, oif;                                                  ///< empty: none at this hook
  std::optional<std::uint16_t> protocol, source_port, destination_port;  ///< absent: not known
  std::string state;                                                     ///< conntrack's; empty: not known
  bool arp = false;  ///< no packet, but a frame of ARP; of the rest only interfaces count
};

enum class Match : std::uint8_t { no, maybe, yes };
Match matches(const RuleWords& rule, const RulePacket& packet);
/// The same, whatever interface it leaves by; by whichever interfaces.
Match matches_but_for_oif(RuleWords rule, const RulePacket& packet);
Match matches_but_for_interfaces(RuleWords rule, const RulePacket& packet);

/// `outer` takes every packet that `inner` does, as far as addresses, protocols, ports and states go; with
/// `interfaces`, also as far as these.
bool covers(const RuleWords& outer, const RuleWords& inner, bool interfaces);

/// Who decides about a packet, and how: a rule, or where `rule` is null the policy of `chain`.
struct Decision {
  const Chain* chain = nullptr;
  const Chain::Rule* rule = nullptr;
  RuleWords::Verdict verdict = RuleWords::Verdict::none;  ///< `other`: it cannot be told
  std::string target;                                     ///< as RuleWords has it
  /// The jumps on the way there, outermost first.
  std::vector<std::pair<const Chain*, const Chain::Rule*>> jumps;

  bool certain() const { return verdict != RuleWords::Verdict::other; }
  bool stops() const { return verdict == RuleWords::Verdict::drop || verdict == RuleWords::Verdict::reject; }
};

/// What the rules of `chain` from the one at `first` on decide; none: the packet comes to its end. Its
/// policy's verdict where it is a base chain.
Decision decide(const std::vector<Chain>& chains, const Chain& chain, const RulePacket& packet,
                std::size_t first = 0);

}  // namespace plumbline::proof::firewall
