#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/network/topology/model.hpp"
#include "harness/proof/journey/journey.hpp"
#include "harness/proof/witness/kernel_path.hpp"
#include "harness/traffic/probe/probe.hpp"

namespace plumbline::proof {

/// A probe that did not do what was promised, and all that was seen and heard of it.
struct Case {
  enum class Promise : std::uint8_t {
    reach,    ///< it was to arrive and to be answered
    deny,     ///< it was to be stopped by `guard`
    egress,   ///< it was to leave `host` by `via` as `as`, and to be answered
    resolve,  ///< `name` was to be answered with `expected`
    silent,   ///< it was not to be seen at `via` of `host`
    learned,  ///< the ends and the bridge `via` of `host` were to know one another by it
    route,    ///< nothing is sent: the kernel of `from` was to route it as `route` says
    link,     ///< nothing is sent: an interface was to be as `link` says
  };
  /// Only what is set was promised.
  struct Link {
    std::string node, interface;
    std::string state;  ///< "up", "no-carrier", "down"; empty: any
    std::optional<network::Endpoint> peer;
    std::optional<std::string> master;
    std::uint32_t mtu = 0;
    std::vector<InterfaceAddress> addresses;  ///< length -1: any
    std::optional<bool> promiscuous;
  };
  struct Route {
    std::optional<IpAddress> from;
    std::string iif, oif;
    std::uint32_t mark = 0;
    std::string dev;
    std::optional<IpAddress> via, source;
    std::optional<std::uint32_t> table;
    int error = 0;  ///< the errno of a promised refusal; 0: a route
  };
  Promise promise = Promise::reach;
  std::string from;     ///< the node that sent it
  IpAddress to;         ///< as it was addressed
  std::string to_node;  ///< who answers for that; empty: no node that we know
  traffic::Protocol protocol = traffic::Protocol::ping;
  std::uint16_t port = 0;
  std::size_t payload_bytes = 0;  ///< that it was to carry in one packet; 0: not stated
  std::string host;               ///< the node under test; empty: none
  traffic::ProbeOutcome outcome;
  Journey journey;
  KernelPath kernel;
  std::string delivered_to;  ///< the node whose server got it; empty: none did

  std::string published_at;  ///< reach: the node that the port is to lead to; empty: to_node
  std::string guard;         ///< deny; reach: of the denial whose control this is
  std::string how;           ///< deny: "any", "reject", "drop"
  std::string via;           ///< egress, silent: an interface of `host`
  /// egress: the source beyond `via`; reach: that the server of `published_at` is to see.
  std::optional<IpAddress> as;
  std::string name;                        ///< resolve
  std::vector<IpAddress> expected;         ///< resolve; empty: any
  std::optional<traffic::DnsOutcome> dns;  ///< resolve
  bool dns_over_tcp = false;               ///< resolve
  bool aaaa = false;                       ///< resolve: IPv6 addresses were asked for
  /// resolve: what `from`'s resolv.conf is to name; absent: the spec names the server.
  std::optional<IpAddress> resolver;
  /// resolve: how the same question fared over the other transport, asked afterwards; absent: it was not.
  std::optional<traffic::DnsOutcome> dns_otherwise;
  std::optional<std::size_t> watch;  ///< by which the stage knows the probe
  std::optional<Link> link;
  std::optional<Route> route;

  IpFamily family() const { return to.family(); }
  /// Something was to get through.
  bool wanted_through() const {
    return promise != Promise::deny && promise != Promise::silent && promise != Promise::link;
  }
  /// A packet was sent, so that it can be asked what became of it.
  bool was_sent() const { return promise != Promise::route && promise != Promise::link; }
};

}  // namespace plumbline::proof
