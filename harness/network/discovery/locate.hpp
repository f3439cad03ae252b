#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::network {

/// Where a node of a live host is found, as a spec's `nodes:` says or discovery found out.
struct Locator {
  enum class Kind : std::uint8_t {
    self,    ///< the network namespace of this process
    netns,   ///< `value`: a name in /run/netns, or an absolute path
    pid,     ///< `value`: a process, as this process' /proc counts
    docker,  ///< `value`: a container's name or id
    podman,
  };
  Kind kind = Kind::self;
  std::string value;

  friend bool operator==(const Locator&, const Locator&) = default;
};

/// "docker", as a spec's key has it; of `self` it is "netns", with the value "self".
const char* to_text(Locator::Kind kind) noexcept;
/// "docker web".
std::string to_string(const Locator& locator);

/// Where the engines' API is spoken: paths of Unix sockets. Empty: that engine is not asked.
struct EngineSockets {
  std::string docker, podman;
};
/// $DOCKER_HOST where it is a Unix socket, else /run/docker.sock; /run/podman/podman.sock as root, else
/// $XDG_RUNTIME_DIR/podman/podman.sock.
EngineSockets default_sockets();

/// A node of a live host.
struct Located {
  kernel::Netns netns;
  pid_t pid = 0;  ///< that was named, or the first of the container that was; 0: none
  /// What its resolv.conf names: of a process its own, of a name NAME /etc/netns/NAME/resolv.conf where that
  /// is there (ip-netns(8)), else this host's.
  std::vector<IpAddress> resolvers;
  std::string resolvers_unread;  ///< why that could not be read; empty: it was
};

/// Nothing is changed. `self` is immediate. Throws Error: of kind usage for what is not there (with the
/// nearest name) or does not run, of kind environment with the remedy where this user may not look, or where
/// the engine does not answer.
boost::asio::awaitable<Located> locate(Locator locator, EngineSockets sockets);

/// The same of a process; nothing but /proc is asked. Throws Error.
Located locate_process(pid_t pid);
/// The same of a name in /run/netns, or a path. Throws Error.
Located locate_named(const std::string& name_or_path);

}  // namespace plumbline::network
