#pragma once

#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::engine {

/// What a picture shows of a network.
std::vector<DrawnNode> drawn(const network::Topology& topology);

}  // namespace plumbline::engine
