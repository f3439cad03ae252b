#pragma once

#include <string>
#include <vector>

#include "harness/engine/inference/promises.hpp"
#include "harness/network/discovery/host_view.hpp"

namespace plumbline::engine {

/// A spec for `plumbline validate`: `nodes:` and `checks:`, with comments that say where each comes from.
/// Where nothing is promised it has no checks, and says so. Pure.
std::string spec_text(const network::HostView& view, const std::vector<Promise>& promises);

/// Whether there is anything to check.
bool has_checks(const std::vector<Promise>& promises);

/// The model as JSON (docs/discover.md), firewalls and promises with it. Pure.
std::string model_json(const network::HostView& view, const std::vector<Promise>& promises);

}  // namespace plumbline::engine
