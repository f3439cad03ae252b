#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/engine/check/check.hpp"

namespace plumbline::engine {

/// Writes the packets of a check and its control as one pcapng, each commented with what it is. `watched` are
/// all places (`node:interface`) where a tap was open: each has its interface block, so that a place that saw
/// nothing can be told from one where nobody looked. Creates the folders on the way. Throws Error.
void write_trace(const std::string& path, const std::vector<std::string>& watched, const CheckResult& check,
                 const Outcome& outcome);

/// The places that taps watch in `topology`, in its order.
std::vector<std::string> watched_places(const network::Topology& topology);

/// The folder of a scenario's traces below the one for all: `NAME.SETUP`, with `#2` for the second
/// repetition. Everything but [A-Za-z0-9._-] in the names is replaced, so that they stay inside.
std::string trace_folder(const ScenarioResult& scenario);

/// `directory/folder/check.pcapng`, with the same replaced; numbered where that is `taken` already, which it
/// joins.
std::string trace_path(const std::string& directory, const std::string& folder, const std::string& check,
                       std::set<std::string>& taken);

}  // namespace plumbline::engine
