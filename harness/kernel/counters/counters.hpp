#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "harness/kernel/netns/netns.hpp"

/// What a namespace counts of its packets (RFC 1213, 4293, conntrack, and the kernel's own).
namespace plumbline::kernel::counters {

/// By nstat's name: "IpForwDatagrams", "TcpExtIPReversePathFilter", "Ip6InNoRoutes", "nf_conntrack drop".
using Counters = std::map<std::string, std::uint64_t, std::less<>>;

/// All that `netns` has now; those of IPv6 and conntrack only where it has these. Throws Error.
Counters read(const Netns& netns);

/// Those that rose, and by how much. One that was not there before rose from 0.
Counters difference(const Counters& before, const Counters& after);

}  // namespace plumbline::kernel::counters
