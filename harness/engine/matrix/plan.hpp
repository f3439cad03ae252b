#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/engine/check/check.hpp"
#include "harness/engine/spec/spec.hpp"

namespace plumbline::engine::matrix {

/// What is tried.
struct Scope {
  std::vector<std::string> nodes;  ///< none: all
  std::vector<Service> services;   ///< none: ping, and what the spec's promises of who reaches whom name
  std::size_t most = 100'000;      ///< probes of one scenario
};

/// Whether `node` of an intended network can send and be sent to, as far as is known before it is built. The
/// bridge of a world's segment cannot.
bool may_have_address(const network::Node& node);

/// Leaves of the plan of `spec` the promises about who reaches whom on the network as it is built, before any
/// change, by these services alone, and adds an attempt for every other pair of nodes, for each service and
/// each family in which both have an address. Throws Error of kind usage where that is more than `scope.most`
/// probes, with how to narrow it.
void complete(const spec::Spec& spec, const Scope& scope, Plan& plan);

}  // namespace plumbline::engine::matrix
