#pragma once

#include <set>
#include <string>
#include <string_view>

#include "harness/network/setup/host_survey.hpp"

/// What the standard plugins put into rulesets for all containers together, by name and word for word, as
/// versions 1.1.1 (iptables) and 1.6 (nftables) do. Pure.
namespace plumbline::network {

/// Names that a configuration chooses, which stand for themselves in rules.
struct KeptNames {
  std::set<std::string> bridges;
  std::set<std::string> admin_chains;  ///< of firewall, for an administrator's own rules
  std::set<std::string> note_folders;  ///< where host-local keeps its notes and lock
  std::set<std::string> devices = {};  ///< that host-device moves: their addresses and routes go
};

/// Whether plugins share that chain; `table` as in HostEntry.
bool is_shared_chain(std::string_view table, std::string_view chain, const KeptNames& names);

/// Whether plugins keep exactly that rule.
bool is_shared_rule(const HostEntry& entry, const KeptNames& names);

}  // namespace plumbline::network
