#pragma once

#include <string>

#include "harness/engine/check/check.hpp"

namespace plumbline::engine {

/// Writes the packets of a check and its control as one pcapng, an interface block per `node:interface`, each
/// packet commented with what it is. Creates the folders on the way. Throws Error.
void write_trace(const std::string& path, const CheckResult& check, const Outcome& outcome);

/// `directory/scenario/check.pcapng`, with everything but [A-Za-z0-9._-] replaced, so that names from specs stay inside.
std::string trace_path(const std::string& directory, const std::string& scenario, const std::string& check);

}  // namespace plumbline::engine
