#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/nftables/ruleset.hpp"

namespace plumbline::kernel::nft {

/// Creates all tables, chains and rules in one transaction: all or nothing. An empty ruleset is a no-op.
/// Throws Error naming the table, chain and rule that the kernel refused.
void apply(const Netns& netns, const Ruleset& ruleset);

/// Loads nft's own text through libnftables, as `nft -f` does. `origin` names it in errors ("nft of host").
/// Throws Error of kind usage with libnftables' own message (line, column and the marked place).
void load_text(const Netns& netns, std::string_view text, const std::string& origin);

/// Whether a listing has the counters' values, which change with every packet.
enum class ListCounters : std::uint8_t { yes, no };
/// `nft list ruleset` with handles, in nft's own words; with a family ("bridge") its tables alone.
std::string list_text(const Netns& netns, ListCounters counters = ListCounters::yes,
                      const std::string& family = {});
/// The same of one chain; empty where there is none. Absent: nft's language has no words for its name (that
/// of a keyword, as "log", or with other characters than nft itself would take), but the whole ruleset's
/// listing shows it.
std::optional<std::string> list_chain_text(const Netns& netns, const std::string& family,
                                           const std::string& table, const std::string& chain,
                                           ListCounters counters = ListCounters::yes);

}  // namespace plumbline::kernel::nft
