#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/proof/diagnosis/hop.hpp"

/// How the ends of a segment are plugged in and addressed: several causes ask, to claim it or to rule it out.
namespace plumbline::proof {

/// A cable's end that should be a port of `bridge`.
struct Unplugged {
  Endpoint port, bridge;
  std::string instead;  ///< the bridge that it is a port of; empty: none
  Endpoint holder;      ///< who is out of reach for it
};
/// Whoever holds the hop's next address is cut off by a missing port.
std::optional<Unplugged> unplugged(Facts& facts, const Hop& hop);

/// The far end of the cable of `plugged` is no port of the bridge, in that node, with the network of its
/// address.
std::optional<Unplugged> off_its_bridge(Facts& facts, const Endpoint& plugged, IpFamily family);

/// Two interfaces of one segment with addresses of different networks.
struct Mismatch {
  Endpoint at;  ///< the container, or whatever else is no router, unless the router is wrong
  InterfaceAddress address;
  Endpoint router;
  InterfaceAddress routers;
};
/// `at` and a router on its segment that have no network in common. Absent: they have, or one of them has no
/// address of the family.
std::optional<Mismatch> mismatch(Facts& facts, const Endpoint& at, IpFamily family);
/// The hop ended because its sender, or its target, is of another network than its segment. `at` is the one
/// that is wrong: a router too, where all others there agree.
std::optional<Mismatch> wrong_network(const Case& question, Facts& facts, const std::optional<Hop>& hop);

/// An end of the hop and another node on its segment that have the same hardware address.
struct Twins {
  Endpoint one;  ///< takes part in the hop
  Endpoint other;
  MacAddress mac;
};
std::optional<Twins> twins(Facts& facts, const Hop& hop);
/// Of a link other than loopback.
std::optional<MacAddress> mac_of(Facts& facts, const Endpoint& at);

/// Addresses of a family, link-local IPv6 ones left out.
std::vector<InterfaceAddress> addresses(const network::Interface& interface, IpFamily family);
/// Ends of the segment other than its first, up, which have no address of the family: one of them may lack
/// it.
std::vector<Endpoint> without_address(Facts& facts, const std::vector<Way>& segment, IpFamily family);
/// IPv6 is switched off there, or its MTU is too small for it.
bool lacks_ipv6(Facts& facts, const Endpoint& at);
/// Duplicate address detection has not released the address yet.
bool is_tentative(Facts& facts, const Endpoint& at, const IpAddress& address);
/// A node on the segment of `at` that forwards, by its address in a network of `at`.
std::optional<IpAddress> router_near(Facts& facts, const Endpoint& at, IpFamily family);
/// Nodes that had the probe's packet to send on, its sender first.
std::vector<std::string> senders(const Case& question, Facts& facts, const std::optional<Hop>& hop);
/// Whether `node` sends what is for `to` onto the segment of `there`.
bool leads_to(Facts& facts, const std::string& node, const IpAddress& to, const Endpoint& there);

}  // namespace plumbline::proof
