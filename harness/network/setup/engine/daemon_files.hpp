#pragma once

#include <map>
#include <string>

#include "harness/kernel/process/process.hpp"
#include "harness/network/setup/engine/engine.hpp"

/// Private to this folder.
namespace plumbline::network {

/// Writes what the engine's daemon needs below `folder`, and says how it is run there: program, arguments and
/// the whole of its environment, in which its PATH is `path` with the chosen iptables before it. Its socket
/// will be `folder`/sock. Throws Error where a file cannot be written.
kernel::Command prepare_daemon(const EngineSetup& setup, const std::string& folder, const std::string& path);

/// By what clients find that daemon and no other, whatever else their environment holds.
std::map<std::string, std::string> environment_of_clients(EngineSetup::Engine engine,
                                                          const std::string& folder);

}  // namespace plumbline::network
