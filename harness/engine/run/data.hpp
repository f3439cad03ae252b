#pragma once

#include <string>
#include <vector>

#include "harness/engine/spec/spec.hpp"

/// Where what ships is found: scenarios/ and fixtures/ below one root.
namespace plumbline::engine {

/// $PLUMBLINE_DATA, else `installed` (where a program of somebody else's was told that it is; empty:
/// nowhere), else share/plumbline beside the program's bin folder, else the source tree that it was built
/// from. Throws Error of kind usage when none is there.
std::string data_root(const std::string& installed = {});

/// All that ship, sorted; relative to the working folder where they lie in it.
std::vector<std::string> shipped_scenarios();
std::vector<std::string> shipped_worlds();
std::vector<std::string> shipped_faults();   ///< fixtures/faults: what `selftest` breaks
std::vector<std::string> shipped_healthy();  ///< fixtures/healthy: networks in which it finds nothing wrong

/// The scenario that ships under this name: "diy", "seed/bridge", "healthy/macvlan". Throws Error of kind
/// usage when there is none, with the nearest.
std::string shipped_scenario(const std::string& name);

/// load_options() with the worlds and setups that ship below data_root(installed).
spec::LoadOptions shipped_load_options(const std::string& installed = {});

/// The files that `arguments` name: a folder stands for all *.yaml below it, nothing for all scenarios that
/// ship. Sorted within a folder, as given otherwise, none twice. Throws Error of kind usage.
std::vector<std::string> spec_files(const std::vector<std::string>& arguments);

}  // namespace plumbline::engine
