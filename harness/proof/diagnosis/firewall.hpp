#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/rule_words.hpp"

/// What the causes that a firewall is to blame for have in common.
namespace plumbline::proof::firewall {

/// A rule, or the policy of a base chain, in a node's firewall.
struct RulePlace {
  std::string node;
  RuleMet::Backend backend = RuleMet::Backend::nftables;
  std::string family, table, chain;
  bool policy = false;
  std::uint64_t number = 0;  ///< of a rule: its handle, or with iptables-legacy its number
  std::string text;
  std::string verdict;  ///< "drop", "reject", "accept"

  /// "rule of host's ip filter FORWARD (handle 7): …", "policy drop of host's ip filter FORWARD".
  std::string to_string() const;
  /// "host's ip filter FORWARD".
  std::string chain_text() const;
};
RulePlace place_of(std::string_view node, const Decision& decision);
RulePlace place_of(std::string_view node, const RuleMet& rule);

/// Where a firewall stopped a packet.
struct Stop {
  RulePlace place;
  Leg leg = Leg::forward;
  Hook hook = Hook::forward;
  RulePacket packet;    ///< as it came to the hook; an answer counts as established, if not `half`
  bool traced = false;  ///< the kernel itself told so; otherwise the rules as they are leave no other outcome
  bool half = false;    ///< an answer, where the probe itself did not pass: to conntrack of no connection

  bool rejects() const { return place.verdict == "reject"; }
  bool at_bridge() const { return place.family == "bridge"; }  ///< `hook` is a bridge's, by ports
  /// "the probe", "its answer", "the ICMP error about it", "neighbour discovery"
  std::string_view what() const;
  /// "203.0.113.80 > 192.168.99.11".
  std::string addresses() const;
};

/// Where a packet of the probe's ended at a firewall's hand: by the kernel's word, or by what the rules leave
/// no doubt of. Absent: nowhere that is known.
std::optional<Stop> stopped(const Case& question, Facts& facts);
/// The stop that the kernel told of.
Stop traced_stop(const Case& question, Facts& facts, const Stopper& found);

/// Whose rules leave neighbour discovery (of IPv4: ARP) no way between the two of the hop at which the
/// packet's way ended, where one of them asks for the other in vain. Absent: nobody's do for certain.
std::optional<Stop> stopped_discovery(const Case& question, Facts& facts);

/// Who is to blame that a packet was stopped: the first that holds.
enum class Blame : std::uint8_t {
  icmp_rate_limited,
  bridge_rule_drop,
  bridge_netfilter,
  conntrack_invalid_drop,
  legacy_and_nft_mixed,
  forward_rule_order,
  missing_accept_for_replies,
  forward_policy_drop,
  forward_rule_drop,
  input_drop,
  output_drop,
};

struct Blamed {
  Stop stop;
  Blame blame = Blame::forward_rule_drop;
  /// Of mixed back ends and of the order: who would have accepted it, or have rejected it as was promised.
  std::optional<RulePlace> accepts;
  bool dead = false;       ///< of the order: what accepts can never be reached
  std::string bridge;      ///< of bridge_netfilter
  bool wrong_way = false;  ///< a deny that was kept, but by a drop instead of a reject or the reverse
};
/// The packet that ended the probe's way at a firewall's hand, where that is what went wrong. Absent: it was
/// not.
std::optional<Blamed> blamed(const Case& question, Facts& facts);
/// The same, if it is this that is to blame. A guard that stops its denial's control is at its work, and not
/// to be opened.
std::optional<Blamed> blamed(const Case& question, Facts& facts, Blame blame);

/// The certainty and the lines of evidence that all such causes share.
Finding finding_of(const Case& question, const Blamed& blamed);

/// What got past a guard that was to deny it.
struct Leak {
  std::string node;  ///< the guard
  Hook hook = Hook::forward;
  RulePacket packet;
  std::string seen;                             ///< "seen leaving host:ens4": how it shows
  std::vector<RulePlace> accepts;               ///< at the hook, by base chain
  std::vector<std::vector<std::string>> jumps;  ///< to each of them
  bool traced = false;
  bool bridged = false;            ///< it crossed a bridge of the guard's and met no hook of IP's
  std::string bridge;              ///< which
  std::optional<RulePlace> later;  ///< of `accepts.front()`'s chain: a drop that comes too late
};
/// Absent: it was no deny, or nothing got through.
std::optional<Leak> leaked(const Case& question, Facts& facts);
/// How it shows that what was to be denied came to its target by a way on which the guard's IP is not.
/// Absent: it was no deny, nothing got through, or the guard had it in its hands.
std::optional<std::string> went_past(const Case& question, Facts& facts);
/// A leak over IPv6 whose like over IPv4 the guard's rules stop: which rule does. Absent: no such.
struct OpenV6 {
  Leak leak;
  RulePlace v4;
  RulePacket v4_packet;
};
std::optional<OpenV6> open_over_v6(const Case& question, Facts& facts);

/// What a rule that is to be typed asks of a packet; empty and absent: nothing.
struct Wanted {
  std::string iif, oif;
  std::optional<IpAddress> source, destination;
  std::optional<std::uint16_t> protocol, source_port, destination_port;
  bool established = false;
  std::string verdict = "accept";  ///< "accept", "reject", "drop"
};
/// "iifname br0 tcp dport 80 accept".
std::string nft_rule(const Wanted& wanted);
/// "forward".
std::string hook_name(Hook hook);
/// The narrowest that lets this packet pass.
Wanted like(const RulePacket& packet);

/// A command that puts a rule before the one at `place`; behind a chain's last where that is a policy; or at
/// the head of its chain. In the dialect of the ruleset that holds it.
std::string insert_command(Facts& facts, const RulePlace& place, const Wanted& wanted);
std::string head_command(Facts& facts, const RulePlace& place, const Wanted& wanted);
/// A command that deletes the rule.
std::string delete_command(Facts& facts, const RulePlace& place);
/// The commands, where `node` is not the node under test with a word on where they are to be typed.
std::vector<std::string> typed_on(const std::string& node, const Case& question,
                                  std::vector<std::string> commands);
/// Commands that let the packet pass where it was stopped, and its answers too where the same chain would
/// stop them.
std::vector<std::string> accept_commands(Facts& facts, const Stop& stop);

/// IPPROTO_… of what was sent.
std::optional<std::uint16_t> protocol_of(const Case& question);
/// A packet of `leg` as rules see it, by no interface yet. An answer counts as established; ports are known
/// only where no NAT has changed the address that they go with.
RulePacket packet_of(const Case& question, Leg leg, const IpAddress& source, const IpAddress& destination);
/// The interface that IP takes a packet to have come in by: of a bridge's port the bridge.
std::string ip_interface(const network::Node& node, const std::string& name);
/// The chain that holds the rule; null: it is there no more.
const Chain* chain_of(Facts& facts, const RulePlace& place);
/// The first base chain at the hook that stops the packet for certain. Absent: none, or a chain before leaves
/// a doubt.
std::optional<Decision> stopped_by_rules(Facts& facts, const std::string& node, Hook hook,
                                         const RulePacket& packet);
/// The first of nftables' bridge family at the hook, whose interfaces are ports, that stops the frame or
/// leaves a doubt. Accept: none does.
Decision decide_frame(Facts& facts, const std::string& node, Hook hook, const RulePacket& frame);
/// A later rule of the same chain that would have done otherwise with the packet, and was to be an exception
/// to the one at `place`.
struct Late {
  RulePlace place;
  bool dead = false;  ///< it can never be reached
};
std::optional<Late> comes_too_late(const RulePlace& place, const RulePacket& packet, Facts& facts,
                                   bool wanted_through);

/// As a number, from nft's words: "filter", "srcnat - 10", "-150".
int priority_of(const Chain& chain);

/// The base chains at `hook` that see packets of `family`, in their order; those of type nat if `type` is
/// "nat", else all others.
std::vector<const Chain*> base_chains(Facts& facts, std::string_view node, Hook hook, IpFamily family,
                                      std::string_view type);

}  // namespace plumbline::proof::firewall
