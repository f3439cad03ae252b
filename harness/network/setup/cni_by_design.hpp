#pragma once

#include <vector>

#include "harness/network/cni/configuration.hpp"
#include "harness/network/setup/cni_shared_rules.hpp"
#include "harness/network/setup/host_survey.hpp"

namespace plumbline::network {

/// What a network's configuration names: bridges, the plugin bridge's usual one among them, firewall's chain
/// for administrators, and where host-local keeps what it gave out.
KeptNames kept_names(const cni::Configuration& network);

/// host-local's lock, and its notes on which address it gave out last, to go on from there: no allocation,
/// even where they name a container's address. iptables' lock.
bool is_note(const HostEntry& entry, const KeptNames& names);

/// A route that the kernel made for one of the addresses among `entries`, and takes away with it.
bool is_of_an_address(const HostEntry& route, const std::vector<HostEntry>& entries);

/// Whether plugins by their documentation keep that on purpose, for containers to come: a bridge, with its
/// addresses and the ends of its VLANs; the tables and chains of ipMasq, portmap and firewall that all
/// containers share, with the rules that tie them together; iptables' own empty tables and chains;
/// host-local's notes and lock. Of what names a container nothing is, nor the same rule twice. Pure.
bool stays_by_design(const HostEntry& entry, const KeptNames& names);

}  // namespace plumbline::network
