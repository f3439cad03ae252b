#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// What `setup: native:` says.
struct NativeSetup {
  struct Container {
    std::string name;
    std::vector<InterfaceAddress> addresses;  ///< at most one of each family, inside its bridge's networks
  };
  struct Bridge {
    std::string name;
    std::vector<InterfaceAddress> addresses;  ///< the containers' gateways
    std::vector<Container> containers;
    bool default_route = true;  ///< the containers' goes by the bridge's address
  };
  /// A container on no bridge: alone, or at the end of a cable of its own.
  struct Single {
    std::string name;
    std::string veth;                              ///< the cable's end in the host; empty: there is no cable
    std::vector<InterfaceAddress> addresses;       ///< of the container's eth0
    std::vector<InterfaceAddress> host_addresses;  ///< of the host's end
    bool default_route = false;                    ///< by the host's addresses
  };
  /// An exception to `deny`: everything on the address, or only the ports listed.
  struct Exception {
    Prefix to;
    struct Port {
      bool tcp = false;  ///< otherwise UDP
      std::uint16_t number = 0;
    };
    std::vector<Port> ports;
  };
  /// Containers' traffic through the host. Policy DROP; replies by conntrack state.
  struct Forward {
    std::vector<std::string> allow;  ///< uplinks by which containers may leave
    std::vector<Prefix> deny;
    std::vector<Exception> except;
    bool drop = false;  ///< deny by DROP instead of REJECT
    std::string log;    ///< prefix of a log rule before all others; empty: none
  };
  struct Routing {
    std::uint32_t table = 88;
    std::string via;  ///< the uplink; its gateway is the one that the world names for it
  };
  std::vector<Bridge> bridges;
  std::vector<Single> singles;
  std::optional<Forward> forward;       ///< absent: no forwarding and no firewall
  std::vector<std::string> masquerade;  ///< uplinks
  /// Uplinks for IPv6 where they are others, or none: then IPv6 is routed as it is.
  std::optional<std::vector<std::string>> masquerade_ipv6;

  const std::vector<std::string>& masquerade_for(IpFamily family) const {
    return family == IpFamily::v6 && masquerade_ipv6 ? *masquerade_ipv6 : masquerade;
  }
  std::optional<Routing> routing;
  std::vector<IpAddress> resolvers;  ///< the containers'; empty: the host's own
  std::string nft;                   ///< the user's own ruleset text for the host
  std::string nft_origin;            ///< where that text stands ("diy.yaml:12"), for errors in it
};

/// The nodes and additions that make it: containers as new nodes, and what is added to `world`'s host.
/// Pure. Throws Error of kind usage for what cannot be (an uplink that the host does not have).
Topology expand(const NativeSetup& setup, const Topology& world);

}  // namespace plumbline::network
