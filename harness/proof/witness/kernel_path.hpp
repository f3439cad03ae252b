#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/nftables/ruleset.hpp"
#include "harness/proof/journey/journey.hpp"
#include "harness/proof/journey/packet_identity.hpp"

namespace plumbline::proof {

using kernel::nft::Hook;

/// What one rule did with a packet, or the end of a chain.
struct RuleMet {
  enum class Backend : std::uint8_t { nftables, iptables_legacy };
  enum class Kind : std::uint8_t {
    rule,
    returned,  ///< the end of a chain that something jumped to
    policy,    ///< the end of a base chain, or of a built-in one
  };
  Backend backend = Backend::nftables;
  Kind kind = Kind::rule;
  std::string family, table, chain;  ///< "ip", "filter", "FORWARD"
  std::uint64_t number = 0;  ///< nftables: the rule's handle; iptables-legacy: its number, from 1; else 0
  /// In the words of nft, or of `iptables -S`. Empty where there is none, or it could not be listed any more.
  std::string text;
  std::string comment;  ///< the rule's own; empty: none
  std::optional<std::uint64_t>
      packets;  ///< that its counter had counted when it was listed; absent: no counter
  /// "accept", "drop", "reject", "continue", "jump guard", "goto guard", "return", "queue", "stolen"; empty:
  /// not known, as of a target of iptables-legacy that we have not heard of.
  std::string verdict;
  std::optional<std::string> log_prefix;  ///< it wrote a log line with this prefix

  bool stops() const;  ///< the packet goes no further: dropped, rejected, queued or stolen
};

/// A packet at one hook.
struct Passage {
  std::string node;
  Hook hook = Hook::prerouting;
  bool bridge = false;  ///< a bridge's hook of that name, where it looks at frames; else IP's
  Leg leg = Leg::forward;
  std::string iif, oif;           ///< empty: none at this hook; at a bridge's hooks its ports
  IpAddress source, destination;  ///< as the packet came to the hook
  std::string packet;             ///< in one line
  std::vector<RuleMet> rules;     ///< in the order in which it met them
  /// What became of it there: "accept", "drop", "reject", "queue", "stolen". Empty: nothing stopped it that
  /// reports itself, but neither was it seen at the hook that must follow.
  std::string verdict;
  std::optional<PacketIdentity> identity;  ///< absent: not known
  /// What a bridge sends to more ports than one it copies: one copy's end is not the packet's.
  enum class Copies : std::uint8_t {
    none,      ///< it was the only one, as far as is known
    same_end,  ///< there were others, and none of them went on
    went_on,   ///< there were others, of which at least one went on
  };
  Copies copies = Copies::none;

  /// The rule or policy that stopped it here; null: none did, or only this copy of it.
  const RuleMet* stopper() const;
  std::string hook_text() const;  ///< "forward", "bridge forward"
};

/// The kernel let go of a packet of the probe: it was neither sent nor delivered (tracepoint skb:kfree_skb).
struct Drop {
  std::string node;
  Leg leg = Leg::forward;
  std::string reason;         ///< the kernel's own name for it: "NETFILTER_DROP", "IP_RPFILTER"
  std::string function;       ///< of the kernel, that did it: "nft_do_chain"; empty: not known
  std::string interface;      ///< of the packet at that moment; empty: none
  std::uint64_t time_ns = 0;  ///< on the clock of the captures' timestamps
  IpAddress source, destination;
  std::string packet;  ///< in one line
};

/// How a node's conntrack knows the probe's flow.
struct Translation {
  struct Tuple {
    IpAddress source, destination;
    std::uint16_t source_port = 0, destination_port = 0;  ///< of ICMP: the echo id in both
    friend bool operator==(const Tuple&, const Tuple&) = default;
  };
  std::string node;
  Tuple original;  ///< as its first packet came
  Tuple reply;     ///< as an answer must come
  bool source_translated = false, destination_translated = false;
  bool answered = false;  ///< a packet of the reply's direction was seen
  std::uint16_t zone = 0;
  std::uint32_t mark = 0;
};

/// A counter of one namespace that rose while the probe was under way.
struct CounterChange {
  std::string node;
  std::string name;  ///< as nstat names it: "TcpExtIPReversePathFilter", "IpExtInNoRoutes"
  std::uint64_t by = 0;
};

/// What kernels say about one probe.
struct KernelPath {
  struct Node {
    std::string name;
    /// Why this node's silence proves nothing: the kernel refused the trace, or lost reports. Empty: it does.
    std::string problem;
    bool alive = false;  ///< it has reported something since it was opened, about whatever packet
    bool lost = false;   ///< the problem is that reports were lost while the probe was under way
    /// Chains that no trace of ours reaches: a device's own, before and behind all others. Empty: none.
    std::string untraced;
  };
  std::vector<Node> nodes;  ///< that were asked
  /// In each node in order; nodes by their distance, the probe's own packets before the answers.
  std::vector<Passage> passages;
  std::vector<Drop> drops;                ///< by time
  std::vector<Translation> translations;  ///< by node, in the order of the way
  /// Told only where no other probe was under way, so that they can be this one's.
  std::vector<CounterChange> counters;
  /// Why the kernel's drops are not told; empty: they are.
  std::string drops_problem;
  bool drops_complete = true;  ///< false: there was no room for some, perhaps of this probe

  /// Why absence from `node`'s passages proves nothing. Absent: it does.
  std::optional<std::string> blind(std::string_view node) const;
  /// IP's hooks that the first packet of `leg` passed in `node`, in order.
  std::vector<Hook> hooks(std::string_view node, Leg leg) const;
  /// Whether any packet of `leg` was at any of IP's hooks of `node`.
  bool passed(std::string_view node, Leg leg) const;
};

/// "prerouting, forward, postrouting"; "none".
std::string to_text(const std::vector<Hook>& hooks);

}  // namespace plumbline::proof
