#pragma once

#include "harness/kernel/netns/netns.hpp"
#include "harness/network/discovery/host_view.hpp"

namespace plumbline::network {

/// Reads a namespace's packet filter, of both back ends. A kernel without nf_tables is not asked, since that
/// would load it, and of iptables-legacy nothing but tables that are there. Throws Error.
FirewallText read_firewall(const kernel::Netns& netns);

}  // namespace plumbline::network
