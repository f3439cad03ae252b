#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "harness/kernel/process/daemon.hpp"
#include "harness/network/setup/engine/engine.hpp"

/// Private to this folder: the engine's daemon, and where it lives.
namespace plumbline::network {

/// What of the engine's programs is missing on this machine, and the package that has it; absent: nothing.
/// `path`: the folders that it will look for them in.
std::optional<std::string> missing_programs(const EngineSetup& setup, const std::string& path);

/// Busybox without libraries, for the containers' image; absent: there is none.
std::optional<std::string> static_busybox(const std::string& path);

struct StartedDaemon {
  std::string socket;
  kernel::Daemon* daemon = nullptr;  ///< of the host's
};
/// Starts the daemon in `host`, and is done once it answers at its socket. Scripts of later steps find it
/// as DOCKER_HOST or CONTAINER_HOST. Throws Error of kind setup, with the daemon's last words, where it ends,
/// or does not answer in time.
boost::asio::awaitable<StartedDaemon> start_daemon(const EngineSetup& setup, ScriptHost& host);

}  // namespace plumbline::network
