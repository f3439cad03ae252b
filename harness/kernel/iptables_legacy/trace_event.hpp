#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"

namespace plumbline::kernel::iptables {

/// One "TRACE: filter:FORWARD:rule:2 ": the packet met this rule, or the end of this chain.
struct TraceEvent {
  enum class Type : std::uint8_t {
    rule,
    /// The end of a chain that is no built-in one, or a rule `-j RETURN` without matches.
    returned,
    /// The end of a built-in chain, or a rule in it without matches that accepts or drops.
    policy,
  };
  IpFamily family = IpFamily::v4;
  std::uint8_t hook = 0;  ///< NF_INET_PRE_ROUTING 0, LOCAL_IN 1, FORWARD 2, LOCAL_OUT 3, POST_ROUTING 4
  std::string table, chain;
  Type type = Type::rule;
  unsigned number = 0;               ///< of the rule, from 1
  unsigned iif = 0, oif = 0;         ///< kernel index; 0: none
  std::vector<std::uint8_t> packet;  ///< from the IP header on, possibly cut
};

/// What the prefix says. Absent for any other.
struct TracePrefix {
  std::string table, chain;
  TraceEvent::Type type = TraceEvent::Type::rule;
  unsigned number = 0;
};
std::optional<TracePrefix> parse_prefix(std::string_view prefix);

struct Heard {
  std::vector<TraceEvent> events;
  std::vector<std::uint32_t> sequence;  ///< of every message, other people's log rules' too: a gap is a loss
};
/// All trace messages in what one recv returned; any bytes at all may be given.
Heard parse_log(std::span<const std::uint8_t> bytes);

}  // namespace plumbline::kernel::iptables
