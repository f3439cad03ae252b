#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/nftables/connection.hpp"
#include "harness/kernel/nftables/ruleset.hpp"

/// What the events of a trace name: rules by handle, and chains.
namespace plumbline::kernel::nft {

struct ListedRule {
  std::string text;  ///< in nft's own words, on one line, without counters' values; empty: it was not listed
  /// Of its `log` statement, or of iptables-nft's LOG target; an empty one is a log without prefix. Not of a
  /// bridge's or device's rule, which logs at no hook of IP's.
  std::optional<std::string> log_prefix;
  bool rejects = false;  ///< a drop by it is announced to the sender
  /// Of all its log statements, whichever family's.
  std::vector<std::string> logs;
  /// It may break off after a log statement. The packet is logged then, and a trace does not name the rule.
  bool may_break_after_log = false;
  bool unmarks = false;  ///< it takes away, or may, the mark by which packets are traced (`meta nftrace`)
};

struct ListedChain {
  Hook hook = Hook::forward;
  std::int32_t priority = 0;
};

struct Listing {
  using RuleKey = std::tuple<std::string, std::string, std::string, std::uint64_t>;
  using ChainKey = std::tuple<std::string, std::string, std::string>;
  std::map<RuleKey, ListedRule> rules;  ///< by family ("ip"), table, chain, handle: of the chains asked for
  std::map<ChainKey, ListedChain> chains;  ///< base chains of the IP hooks alone
  std::set<ChainKey> elsewhere;            ///< base chains at others: ingress, egress, a bridge's

  const ListedRule* rule(const std::string& family, const std::string& table, const std::string& chain,
                         std::uint64_t handle) const;
  const ListedChain* chain(const std::string& family, const std::string& table,
                           const std::string& name) const;
};

/// A rule as `nft -a list ruleset` writes it.
struct TextRule {
  std::uint64_t handle = 0;
  std::string text;  ///< on one line
  std::string comment;
  std::optional<std::uint64_t> packets;  ///< that its counter has counted, where counters are listed
};

/// A chain as it is written there, its rules in order.
struct TextChain {
  std::string family, table, name;           ///< "ip", "filter", "FORWARD"
  std::string type, hook, priority, policy;  ///< of a base chain, in nft's words ("filter + 10")
  std::vector<std::string> devices;          ///< of a base chain of the family netdev
  std::vector<TextRule> rules;
};

/// The chains in `nft -a list ruleset`.
std::vector<TextChain> parse_chains(std::string_view text);

/// The rules in it, by handle.
std::map<Listing::RuleKey, std::string> parse_rules(std::string_view text);

/// Reads of a namespace's ruleset what is asked for, and all of it at one generation: a ruleset may hold tens
/// of thousands of rules, of which a packet meets those of a few chains.
class Lister {
 public:
  /// `netns` outlives it. Throws Error.
  explicit Lister(const Netns& netns);

  /// Adds to `listing` the base chains, and the rules of the chains named, as far as they exist; what it got
  /// from this before it keeps, unless the ruleset has changed since: then it is emptied first. Always to be
  /// called with the same listing. {"bridge", "", ""} names all chains of a family, {"", "", ""} all there
  /// are. Throws Error.
  void complete(Listing& listing, const std::set<Listing::ChainKey>& chains);

 private:
  bool read_missing(Listing& listing, const std::set<Listing::ChainKey>& chains, bool base_chains);
  bool is_read(const Listing::ChainKey& chain) const;
  void read_texts(Listing& listing, const Listing::ChainKey& chain);

  const Netns& netns_;
  Connection connection_;  ///< asks for the generation
  std::optional<std::uint32_t> generation_;
  std::set<Listing::ChainKey> read_;  ///< at that generation
  /// All rules' texts, once a chain was asked for that cannot be listed by itself.
  std::optional<std::map<Listing::RuleKey, std::string>> whole_;
};

/// Reads the whole ruleset: tens of thousands of rules take seconds. Throws Error.
Listing list(const Netns& netns);

/// The tables of the bridge family that have a base chain, in the connection's namespace. Throws Error.
std::set<std::string> tables_at_bridges(const Connection& connection);

/// Counts the transactions that the namespace's ruleset has seen: as long as it is the same, so is the
/// ruleset. Throws Error.
std::uint32_t generation(const Netns& netns);
/// The same of the connection's namespace, for who asks often: making a connection costs more than asking.
std::uint32_t generation(const Connection& connection);

}  // namespace plumbline::kernel::nft
