#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/nftables/ruleset.hpp"

/// What the events of a trace name: rules by handle, and chains.
namespace plumbline::kernel::nft {

struct ListedRule {
  std::string text;  ///< in nft's own words, on one line, without counters' values; empty: it was not listed
  /// Of its `log` statement, or of iptables-nft's LOG target; an empty one is a log without prefix.
  std::optional<std::string> log_prefix;
  bool rejects = false;  ///< a drop by it is announced to the sender
};

struct ListedChain {
  Hook hook = Hook::forward;
  std::int32_t priority = 0;
};

struct Listing {
  using RuleKey = std::tuple<std::string, std::string, std::string, std::uint64_t>;
  using ChainKey = std::tuple<std::string, std::string, std::string>;
  std::map<RuleKey, ListedRule> rules;     ///< by family ("ip"), table, chain, handle
  std::map<ChainKey, ListedChain> chains;  ///< base chains of the IP hooks alone

  const ListedRule* rule(const std::string& family, const std::string& table, const std::string& chain,
                         std::uint64_t handle) const;
  const ListedChain* chain(const std::string& family, const std::string& table,
                           const std::string& name) const;
};

/// The rules in `nft -a list ruleset`, by handle.
std::map<Listing::RuleKey, std::string> parse_rules(std::string_view text);

/// Reads the namespace's ruleset. Throws Error.
Listing list(const Netns& netns);

/// Counts the transactions that the namespace's ruleset has seen: as long as it is the same, so is the
/// ruleset. Throws Error.
std::uint32_t generation(const Netns& netns);

}  // namespace plumbline::kernel::nft
