#pragma once

#include <string>
#include <vector>

#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/value.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// What `setup: script:` says, once for every combination of values that `env:` lists. `native` is what a
/// native setup beside it makes: what the script must leave behind, unless it says so itself. Throws
/// SpecError.
std::vector<Setup> read_scripts(const Value::Entry& entry, const std::string& spec_file,
                                const LoadOptions& options, const network::Topology& world,
                                const network::Topology* native);

}  // namespace plumbline::spec
