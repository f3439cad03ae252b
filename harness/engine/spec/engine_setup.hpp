#pragma once

#include <vector>

#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/value.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// What `setup: docker:` or `setup: podman:` says, once for each iptables that it lists. Throws SpecError.
std::vector<Setup> read_engines(const Value::Entry& entry, const network::Topology& world);

}  // namespace plumbline::spec
