#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/tables.hpp"
#include "harness/proof/diagnosis/way.hpp"

/// What causes ask about ways: which packet lacked one, what the kernel says to that, and what would be one.
namespace plumbline::proof {

/// A packet that `node` had to find a way for, and that went no further.
struct Stranded {
  Leg leg = Leg::forward;
  std::string node;
  const Sighting* came = nullptr;  ///< in at `node`; null: it was made there, or was to be made
  std::string iif;                 ///< by which it came, as routes know it (a bridge, not its port)
  /// As it is when it is routed: behind what NAT does before, so of the answer to a masqueraded packet the
  /// container's own address.
  IpAddress source, destination;
  std::string oif;  ///< that its sender insists on; empty: none
  std::uint32_t mark = 0;
};
/// The sender refused by itself; or a node took it in for somebody else and sent nothing on; or the target
/// took it in and no answer left; or the packet is the one that a `route` is promised for. Absent: none of
/// these, nothing was seen, or a rule stopped it.
std::optional<Stranded> stranded(const Case& question, Facts& facts);

/// What was sent to a node that is no router for it: by the wrong next hop of the node before.
struct Astray {
  std::string sender;  ///< whose route it was
  RouteAnswer route;
  IpAddress destination;            ///< as the sender routed it
  std::string node;                 ///< who got it
  std::optional<IpAddress> router;  ///< who should have; absent: not known
};
std::optional<Astray> gone_astray(const Case& question, Facts& facts);

/// Whether it should never have come to where it ended: a node before that has the destination on a cable of
/// its own sent it elsewhere, or it left the node under test by another uplink than was promised. Whoever got
/// it then need not know a way.
bool sent_away(const Case& question, Facts& facts, const Stranded& packet);

/// Whether `node` takes what is for `address`: it holds it, or has a local route over it.
bool takes(Facts& facts, std::string_view node, const IpAddress& address);

/// Where the last packet of `leg` that was seen came in; null: it was last seen leaving, or not at all.
const Sighting* came_last(const Case& question, Leg leg);

/// How the probe, or its answer, left the node under test.
struct Exit {
  std::string oif;
  const Sighting* left = nullptr;  ///< null: it was routed there, and stopped before it left
  const Sighting* came = nullptr;  ///< null: it was made there
  std::string iif;                 ///< empty: it was made there
  IpAddress source, destination;   ///< when it was routed
  std::string insisted;            ///< the interface that its sender insists on; empty: none
  std::uint32_t mark = 0;
};
/// By the first interface that is no port of a bridge. Absent: `leg` was not seen leaving `node`, nor
/// reported at a hook behind the routing.
std::optional<Exit> exit_of(const Case& question, Facts& facts, std::string_view node, Leg leg);

/// Where the kernel sent a packet although it was to take another way, or where it found no way at all.
struct Steered {
  std::string node;
  Exit exit;                           ///< `oif` is empty where it found none
  RouteAnswer answer;                  ///< of the kernel, for a packet without mark
  std::string wanted;                  ///< the interface that was promised; empty: none was
  std::optional<std::uint32_t> table;  ///< that was promised
  /// The rules that hold for it, the first to be asked first.
  std::vector<network::RoutingRule> rules;
};
/// Absent: it left as promised, or was not seen at all.
std::optional<Steered> steered(const Case& question, Facts& facts);
/// The rule that holds for it and leads to a table without any route for it; absent: there is none before the
/// one that decided.
std::optional<network::RoutingRule> rule_to_nowhere(const Steered& packet, Facts& facts);
/// The rule that the kernel followed, and a later one that holds for it too and leads to a route as wanted.
struct Overtaken {
  network::RoutingRule first, right;
};
std::optional<Overtaken> overtaken(const Steered& packet, Facts& facts);
/// The table with a route as wanted into which no rule leads it; absent: none.
std::optional<std::uint32_t> table_not_asked(const Steered& packet, Facts& facts);

/// The kernel's own decision.
RouteAnswer route_of(Facts& facts, const Stranded& packet);
RouteAnswer route_of(Facts& facts, std::string_view node, const Exit& packet);

/// The interface that routes know: the bridge, where `interface` is a port of one.
std::string layer3(const network::Node& node, const std::string& interface);

/// Whether anything of `node` is up with an address of the family by which others know it.
bool is_connected(const network::Node& node, IpFamily family);
/// The router that the world names for an interface. Absent: none of that family.
std::optional<IpAddress> named_gateway(Facts& facts, std::string_view node, std::string_view interface,
                                       IpFamily family);

/// The address that `source` had when the packet came to the node under test and left it unchanged though it
/// is a private one of a container: the world need not know a way back to it. False for the rest.
bool left_untranslated(const Case& question, Facts& facts, const IpAddress& source);
/// The network that `node` has `address` in; the address alone where it has none.
Prefix network_of(Facts& facts, const IpAddress& address);

/// A command to be typed on `node`: where that is not the node under test, it says so behind a #.
std::string on(const std::string& node, const Case& question, const std::string& command);

}  // namespace plumbline::proof
