#pragma once

#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/spec/spec.hpp"

namespace plumbline::testing {

/// "native", "script-nft": tells the setups of one scenario apart.
const std::string& setup_name(const spec::Spec& spec);

/// Scenarios, each once with every setup that it names, and what is wrong with those that cannot be run.
struct LoadedSpecs {
  std::vector<spec::Spec> specs;
  std::vector<Error> errors;
};

/// The scenarios that `arguments` name: files, or folders of *.yaml; nothing stands for all that ship. The
/// checks' arguments are read as well. Nothing is built. Throws Error of kind usage for a folder without
/// specs.
LoadedSpecs load_specs(const std::vector<std::string>& arguments);

}  // namespace plumbline::testing
