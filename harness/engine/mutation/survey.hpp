#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/mutation/mutant.hpp"
#include "harness/engine/spec/spec.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::engine::mutation {

/// The host and what the setup made beside it, as nft, ip, iptables and sysctl list them: `world` is not
/// read. To be called in the sandbox, outside any event loop. Throws Error.
std::vector<NodeState> survey(const network::LiveNetwork& network, const network::Topology& world);

/// One JSON text, by which a survey leaves its sandbox.
std::string to_text(const std::vector<NodeState>& states);
/// Throws Error where it is none.
std::vector<NodeState> from_text(std::string_view text);

}  // namespace plumbline::engine::mutation
