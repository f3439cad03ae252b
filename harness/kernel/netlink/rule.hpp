#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

/// A policy routing rule that leads to a table. All criteria given must hold.
struct Rule {
  IpFamily family = IpFamily::v4;
  std::optional<std::uint32_t> priority;  ///< absent: the kernel's choice, one before the first that is not 0
  std::optional<Prefix> from;
  std::optional<Prefix> to;
  std::string iif;         ///< empty: any
  std::string oif;         ///< empty: any
  std::uint32_t mark = 0;  ///< whole mark; 0: any
  std::uint32_t table = 254;
};

/// A rule that is already there is an error (EEXIST).
Message add_rule(const Rule& rule);
/// For Socket::dump.
Message get_rules(IpFamily family);
/// Absent: not a rule, malformed, or with another action than to look a table up.
std::optional<Rule> decode_rule(const Received& message);

}  // namespace plumbline::kernel::netlink
