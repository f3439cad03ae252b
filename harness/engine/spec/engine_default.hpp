#pragma once

#include <optional>

#include "harness/network/setup/engine/engine.hpp"
#include "harness/network/topology/model.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// The engine's default network, as far as the spec and the world decide it.
struct DefaultNetwork {
  Prefix subnet;                    ///< of IPv4
  std::optional<IpAddress> bridge;  ///< the bridge's own
};

/// Absent: there is none, or the engine chooses for itself.
std::optional<DefaultNetwork> default_network(const network::EngineSetup& setup,
                                              const network::Topology& world);

}  // namespace plumbline::spec
