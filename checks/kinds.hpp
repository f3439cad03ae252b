#pragma once

#include <vector>

#include "harness/engine/check/check.hpp"

namespace plumbline::checks {

/// Every kind of check, in alphabetical order. The definition is generated from the files of this folder.
const std::vector<engine::CheckKind>& check_kinds();

}  // namespace plumbline::checks
