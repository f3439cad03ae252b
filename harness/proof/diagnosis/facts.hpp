#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::proof {

/// A chain of a node's firewall with its rules in order, whichever back end holds it.
struct Chain {
  struct Rule {
    std::uint64_t number = 0;  ///< nftables: its handle; iptables-legacy: its number, from 1
    std::string text;          ///< in the words of nft, or of `iptables -S`
    std::string comment;
    std::optional<std::uint64_t> packets;  ///< that its counter has counted; absent: no counter
  };
  RuleMet::Backend backend = RuleMet::Backend::nftables;
  std::string family, table, name;   ///< "ip", "filter", "FORWARD"
  std::string type;                  ///< "filter", "nat", "route"; empty: no base chain
  std::optional<Hook> hook;          ///< of a base chain at one of IP's hooks, or a bridge's
  std::string priority;              ///< in nft's words: "filter", "-150"; the same names for iptables-legacy
  std::string policy;                ///< "accept", "drop"; empty: no base chain
  std::vector<std::string> devices;  ///< of a base chain of nftables' family netdev: where it sits
  std::vector<Rule> rules;
};

/// How a node's kernel would route a packet.
struct RouteQuestion {
  IpAddress to;
  std::optional<IpAddress> from;
  std::string iif;  ///< by which it comes in; empty: the node's own
  std::uint32_t mark = 0;
  std::string oif;  ///< that its sender insists on; empty: none
};
struct RouteAnswer {
  kernel::netlink::LookupType type = kernel::netlink::LookupType::unicast;
  std::optional<IpAddress> via;     ///< absent: on link
  std::optional<IpAddress> source;  ///< that the kernel would choose
  std::string dev;
  std::uint32_t table = 0;
  int error = 0;  ///< an errno: there is no route; kernel::netlink::LookupResult says which means what

  bool found() const { return error == 0; }
};

struct NeighbourFact {
  std::string dev;
  IpAddress address;
  std::optional<MacAddress> mac;
  kernel::netlink::NeighbourState state = kernel::netlink::NeighbourState::incomplete;
};

/// An entry of a bridge's forwarding table.
struct ForwardingFact {
  MacAddress mac;
  std::string port;
  bool own = false;    ///< the address of the port or bridge itself
  bool fixed = false;  ///< set by hand: not learned, never ages
};

/// The network as it is while a case is looked at. Everything is read when it is asked for, and nothing is
/// changed. What cannot be read is absent or empty, never an error.
class Facts {
 public:
  Facts() = default;
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;
  virtual ~Facts() = default;

  /// As it was read back when it was built, or last changed: peers, roles, services, resolvers, gateways.
  virtual const network::Topology& topology() = 0;
  /// One node as it is now: links, addresses, routes of all tables, rules. Null: there is none of that name.
  virtual const network::Node* node(std::string_view name) = 0;
  virtual RouteAnswer route(std::string_view node, const RouteQuestion& question) = 0;
  /// All that it holds or asks for, unresolved ones too.
  virtual std::vector<NeighbourFact> neighbours(std::string_view node) = 0;
  /// Of one bridge of `node`.
  virtual std::vector<ForwardingFact> forwarding(std::string_view node, std::string_view bridge) = 0;
  /// By its path below /proc/sys: "net/ipv4/ip_forward".
  virtual std::optional<std::string> sysctl(std::string_view node, const std::string& path) = 0;
  /// Both back ends, base chains and others.
  virtual const std::vector<Chain>& chains(std::string_view node) = 0;
  /// An interface with all that the kernel says of it now. Absent: there is none of that name.
  virtual std::optional<kernel::netlink::Link> link(std::string_view node, std::string_view interface) = 0;
  /// Why dockerd gives no answer at the socket where it was to be asked: "nobody listens at /run/docker.sock
  /// any more". Empty: it does, or its socket is not known.
  virtual std::string silence_of_docker() { return {}; }
};

}  // namespace plumbline::proof
