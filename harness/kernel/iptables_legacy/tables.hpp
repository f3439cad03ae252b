#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::kernel::iptables {

struct Rule {
  std::string text;    ///< as `iptables -S` says it: `-A FORWARD -i bridge0 -j LOG --log-prefix "[FORWARD] "`
  std::string target;  ///< "LOG", "ACCEPT", a chain; empty: none
  /// "accept", "drop", "reject", "queue", "return", "jump CHAIN", "goto CHAIN"; "continue" for a target that
  /// lets the packet go on to the next rule. Empty: a target that we do not know.
  std::string verdict;
  std::optional<std::string> log_prefix;  ///< of a LOG or NFLOG target
};

struct Chain {
  std::vector<Rule> rules;  ///< rule 1 first
  std::string policy;       ///< "accept" or "drop" of a built-in chain; empty of any other
};

using Table = std::map<std::string, Chain, std::less<>>;  ///< by chain

/// Where a table's chains begin and end, as IPT_SO_GET_INFO tells.
struct TableInfo {
  std::uint32_t valid_hooks = 0;
  std::array<std::uint32_t, 5> hook_entry{};
  std::array<std::uint32_t, 5> underflow{};  ///< where a built-in chain's policy stands
};

/// Reads a table as IPT_SO_GET_ENTRIES gives it, up to what is cut off or contradicts itself: any bytes at
/// all may be given.
Table parse_table(IpFamily family, const TableInfo& info, std::span<const std::uint8_t> entries);

/// The tables that iptables-legacy has made in the namespace: usually none. Asking for one would make it.
std::vector<std::string> table_names(const Netns& netns, IpFamily family);

/// Absent where the namespace does not have the table. Throws Error.
std::optional<Table> read_table(const Netns& netns, IpFamily family, const std::string& name);

}  // namespace plumbline::kernel::iptables
