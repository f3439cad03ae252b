#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"

/// Private to this folder.
namespace plumbline::network {

/// Why no engine can be run here that keeps to itself. Absent: it can.
std::optional<std::string> engines_refused();

/// What an engine would change of the machine, it finds its own in this sandbox: /etc, /var, /opt and
/// /dev/shm, with a resolv.conf that names `resolvers`; the sockets, locks and state of the machine's own
/// engines, of its D-Bus and its systemd are not there, nor is AppArmor; cgroups cannot be made. Throws
/// Error.
void keep_engines_in(std::span<const IpAddress> resolvers);

}  // namespace plumbline::network
