#pragma once

#include <string_view>
#include <vector>

#include "harness/network/setup/host_survey.hpp"

namespace plumbline::network {

/// What there is in `nft -a list ruleset`: tables, chains, rules, and whatever else tables hold (sets, maps,
/// flow tables, …), line by line. Pure.
std::vector<HostEntry> nft_entries(std::string_view text);

}  // namespace plumbline::network
