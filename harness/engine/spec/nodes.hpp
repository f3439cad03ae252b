#pragma once

#include <vector>

#include "harness/engine/spec/spec.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// Reads `nodes:`. Whether they are there is not asked. Throws SpecError.
std::vector<NamedNode> read_named_nodes(const Value& value);

}  // namespace plumbline::spec
