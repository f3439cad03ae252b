#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/proof/diagnosis/facts.hpp"

/// A node's packet filter as causes and promises look at it, whichever back end holds it. Pure.
namespace plumbline::engine {

/// The chains in `nft -a list ruleset`; our own trace's are left out.
void add_nft_listing(std::vector<proof::Chain>& chains, std::string_view listing);
/// Those of one of iptables-legacy's tables.
void add_legacy_table(std::vector<proof::Chain>& chains, IpFamily family, const std::string& name,
                      const kernel::iptables::Table& table);

}  // namespace plumbline::engine
