#pragma once

#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/network/discovery/host_view.hpp"

namespace plumbline::engine {

/// A container's end of a cable to the host.
struct Member {
  std::string node;
  std::string interface;
  std::vector<InterfaceAddress> addresses;  ///< but for link-local ones

  /// Null: it has none of the family.
  const IpAddress* address(IpFamily family) const;
};

/// Containers that IP on the host reaches by one interface: a bridge, or a cable of its own.
struct Segment {
  std::string dev;  ///< of the host
  bool bridge = false;
  std::vector<InterfaceAddress> host_addresses;
  std::vector<Member> members;                     ///< by name; a node once
  const network::NamedNetwork* network = nullptr;  ///< that owns it; null: nobody says so

  /// "docker network blue (br-0123, 172.30.0.1/24)", "bridge0 (192.168.99.1/24)".
  std::string title() const;
};

struct Layout {
  std::vector<Segment> segments;   ///< by interface; bridges without members too
  std::vector<std::string> alone;  ///< nodes with no way out: no link but the loopback
  /// The rest, and how they are plugged in: "x: macvlan on host:ens4".
  std::vector<std::string> others;
};

/// How the nodes of `view` hang on its host. Pure; `view` outlives it.
Layout lay_out(const network::HostView& view);

}  // namespace plumbline::engine
