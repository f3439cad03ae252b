#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/nftables/ruleset.hpp"

/// The pure model of a network: what a world and a setup ask for, and what discovery reads back. The same
/// types serve both, so whatever discovery reads, the builder can build. Nothing here touches the kernel.
namespace plumbline::network {

enum class Role : std::uint8_t { host, container, world };

/// One end of a cable.
struct Endpoint {
  std::string node;
  std::string interface;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

enum class LinkKind : std::uint8_t { loopback, veth, bridge, other };

struct Interface {
  std::string name;
  LinkKind kind = LinkKind::veth;
  std::optional<Endpoint> peer;  ///< of a veth; both ends name each other
  std::string master;            ///< the bridge, in the same node, that this is a port of; empty: none
  std::vector<InterfaceAddress> addresses;
  std::optional<MacAddress> mac;  ///< absent: the kernel's choice
  std::uint32_t mtu = 0;          ///< bytes; 0: the kernel's choice
  bool up = true;
  /// Routers on this network, at most one of each family, whether or not a route uses them: what a setup that
  /// routes by this uplink goes by. The kernel does not know them.
  std::vector<IpAddress> gateways;
  // Known only once read back from the kernel.
  unsigned index = 0;
  bool running = false;
  std::optional<Endpoint>
      lower;              ///< of a macvlan: the interface, maybe of another node, that its frames pass
  std::string kind_name;  ///< the kernel's word for it ("macvlan"), above all where `kind` is `other`
  std::vector<IpAddress> tentative;  ///< of the addresses: duplicate detection (IPv6) has not finished yet
  std::vector<IpAddress> duplicate;  ///< of the addresses: it found another owner, so they are not used
  /// Of the addresses: no new packets are sent from them where there is another.
  std::vector<IpAddress> deprecated;
  bool promiscuous = false;  ///< set so by hand: it takes in what is for others
};

enum class RouteType : std::uint8_t { unicast, local, blackhole, unreachable, prohibit };

inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint32_t kLocalTable = 255;

struct Route {
  Prefix to;                     ///< 0.0.0.0/0 or ::/0: the default route
  std::optional<IpAddress> via;  ///< absent: on link
  std::string dev;               ///< empty with `via`: the kernel finds it
  std::uint32_t table = kMainTable;
  RouteType type = RouteType::unicast;
  std::optional<IpAddress> source;  ///< preferred source address
  std::uint32_t metric = 0;
  bool automatic = false;  ///< made by the kernel itself (proto kernel); the builder passes these over
};

/// A policy routing rule. All criteria given must hold.
struct RoutingRule {
  IpFamily family = IpFamily::v4;
  std::uint32_t priority = 0;  ///< to build, 0: the kernel's choice
  std::optional<Prefix> from;
  std::optional<Prefix> to;
  std::string iif;
  std::string oif;
  std::uint32_t mark = 0;
  std::uint32_t table = kMainTable;
};

struct Neighbour {
  IpAddress address;
  MacAddress mac;
  std::string dev;
};

/// A server of the simulated world.
struct Service {
  enum class Kind : std::uint8_t { echo, http, dns };
  Kind kind = Kind::echo;
  std::uint16_t port = 7;  ///< echo and dns answer on UDP and TCP, http on TCP
  /// Of a DNS server: what it answers, by name in lower case without the final dot.
  std::map<std::string, std::vector<IpAddress>> names;
};

struct Node {
  std::string name;
  Role role = Role::world;
  std::vector<Interface> interfaces;
  std::vector<Route> routes;
  std::vector<RoutingRule> rules;
  std::vector<Neighbour> neighbours;
  std::map<std::string, std::string> sysctls;
  kernel::nft::Ruleset firewall;
  std::string nft_text;    ///< a user's own ruleset, loaded after `firewall`
  std::string nft_origin;  ///< where `nft_text` stands ("diy.yaml:12"), for errors in it; empty: unknown
  std::vector<Service> services;
  std::vector<IpAddress> resolvers;  ///< what the node's resolv.conf would name
  /// Whether listeners may be planted here so that denials can be proven.
  bool plant = true;

  Interface* find_interface(std::string_view interface_name);
  const Interface* find_interface(std::string_view interface_name) const;
};

struct Topology {
  std::vector<Node> nodes;

  Node* find(std::string_view name);
  const Node* find(std::string_view name) const;
  const Node* host() const;  ///< the one with Role::host, or null

  /// The node that answers for `address`: it holds it on an interface, or has a local route over it (the
  /// longest such route wins). Null when none does.
  const Node* owner_of(const IpAddress& address) const;
};

/// The addresses of `family` that others know `node` by: what it holds on its loopback beyond the loopback's
/// own (a router's or a server's) before what its other interfaces have. Link-local ones of IPv6 are left
/// out: they name nobody outside their link.
std::vector<InterfaceAddress> known_addresses(const Node& node, IpFamily family);

}  // namespace plumbline::network
