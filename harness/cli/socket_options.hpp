#pragma once

#include "harness/network/discovery/locate.hpp"

namespace CLI {
class App;
}

namespace plumbline::cli {

/// Where the engines' API is spoken, and whether somebody says so: a socket that is where it is by default
/// need not be there, one that was asked for must answer.
struct SocketOptions {
  network::EngineSockets sockets = network::default_sockets();
  bool docker_given = false;
  bool podman_given = false;
};

/// --docker and --podman; an empty value: that engine is not asked.
void declare(CLI::App& command, SocketOptions& options);

/// Throws Error for a socket that was asked for and does not answer: of kind usage where none is there, or
/// nobody listens, of kind environment where it does not answer as an engine does, or may not be asked.
void require_answers(const SocketOptions& options);

}  // namespace plumbline::cli
