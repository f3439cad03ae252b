#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "harness/network/discovery/host_view.hpp"

namespace plumbline::network {

/// Where a live host keeps what it says of its containers.
struct HostSources {
  EngineSockets sockets = default_sockets();
  std::string netns = "/run/netns";
  /// CNI's own cache (libcni), of today and of before, and where its IPAM plugin host-local writes.
  std::vector<std::string> cni_results{"/var/lib/cni/results", "/var/lib/cni/cache/results"};
  std::string cni_networks = "/var/lib/cni/networks";
};

/// Reads the host that this process lives in: every network namespace that Docker, Podman, /run/netns, CNI's
/// cache or a process leads to, each once, and what the kernel says of it. Nothing is changed, and no kernel
/// module is loaded for it. What cannot be read, has ended meanwhile, or makes no sense is a note; it throws
/// Error for nothing but what makes all of it impossible (out of descriptors).
boost::asio::awaitable<HostView> discover_host(HostSources sources);

}  // namespace plumbline::network
