#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace plumbline::kernel::nft {

/// One line of `nft monitor trace`: what became of a packet at one rule, or at the end of a chain.
struct TraceEvent {
  enum class Type : std::uint8_t {
    rule,      ///< it matched a rule
    returned,  ///< it came to the end of a chain that is no base chain
    policy,    ///< it came to the end of a base chain
  };
  /// The packet as it was when it came to the base chain: only with the chain's first event for it.
  struct Headers {
    std::vector<std::uint8_t>
        packet;        ///< from the IP header on: at most 40 bytes of it, and 20 of the transport's
    unsigned iif = 0;  ///< kernel index; 0: none
    unsigned oif = 0;
  };

  /// Tells packets under way at the same time apart; used again later.
  std::uint32_t id = 0;
  Type type = Type::rule;
  std::string family;  ///< of the table: "ip", "inet"
  std::string table;
  std::string chain;
  std::uint64_t handle = 0;  ///< of the rule
  /// "accept", "drop", "continue", "jump guard", "goto guard", "return", "queue", "stolen"; of an event of
  /// type policy the policy. Empty: a number that we do not know.
  std::string verdict;
  std::optional<Headers> headers;
};

/// All trace events in what one recv returned. Other messages are passed over, and so is what is cut off or
/// lacks a table, chain or id: any bytes at all may be given.
std::vector<TraceEvent> parse_trace(std::span<const std::uint8_t> bytes);

}  // namespace plumbline::kernel::nft
