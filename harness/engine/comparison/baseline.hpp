#pragma once

#include <string>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// What became of each check since `earlier`, whose report is called `name`: of those checks whose verdict or
/// path is not the same.
///
/// Hosts are compared with themselves, by their names; where no name is in both runs, names mean nothing
/// (containers of a CI service have a new one each time), and a check is compared wherever it ran. Of several
/// runs of a check on a host, the gravest verdict counts, and the way of any of them.
Baseline compare(const RunResult& earlier, const RunResult& now, std::string name);

}  // namespace plumbline::engine
