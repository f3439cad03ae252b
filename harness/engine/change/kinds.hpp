#pragma once

#include <vector>

#include "harness/engine/check/change.hpp"

namespace plumbline::engine {

/// Every kind of change, in alphabetical order. The definition is generated from the files of this folder.
const std::vector<ChangeKind>& change_kinds();

}  // namespace plumbline::engine
