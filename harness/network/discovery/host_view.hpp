#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/network/discovery/locate.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"

/// A live host as it was found, in plain data; only `HostView::network` holds on to it.
namespace plumbline::network {

/// A port of the host that an engine leads to a container.
struct PublishedPort {
  bool tcp = true;                   ///< otherwise UDP
  std::optional<IpAddress> address;  ///< of the host; absent: every address of a family
  std::uint16_t port = 0;            ///< of the host
  std::uint16_t inner = 0;           ///< of the container

  friend auto operator<=>(const PublishedPort&, const PublishedPort&) = default;
};

/// A network that an engine, or CNI, knows by name.
struct NamedNetwork {
  std::string owner;  ///< "docker", "podman", "cni"
  std::string name;
  std::string driver;           ///< "bridge", "macvlan"; empty: not known
  std::vector<Prefix> subnets;  ///< empty: not known
  bool internal = false;        ///< nothing is to leave it
  bool icc = true;              ///< its containers may speak to each other
  bool names = false;           ///< its containers are known by their names there
};

/// What a node takes part in.
struct Membership {
  std::string owner, network;        ///< see NamedNetwork
  std::vector<IpAddress> addresses;  ///< that it has there, as the owner says; the kernel may know better
  friend bool operator==(const Membership&, const Membership&) = default;
};

/// A namespace that was found, beside the host's own.
struct FoundNode {
  std::string name;  ///< in the Topology, and as a spec may have it
  Locator locator;
  /// Where it was found, best first: "docker container web (image nginx)", "/run/netns/web",
  /// "process 4711 (nginx)".
  std::vector<std::string> origins;
  pid_t pid = 0;  ///< its oldest process; 0: none is known
  std::string image;
  std::vector<std::string> hostnames;  ///< by which an engine's own DNS knows it; the first is its name
  std::vector<Membership> memberships;
  std::vector<PublishedPort> ports;
};

/// Something that could not be read, or not in full.
struct HostNote {
  std::string text;
  std::string remedy;  ///< empty: nothing is known
};

/// A node's packet filter as text.
struct FirewallText {
  std::string nft;  ///< `nft -a list ruleset`; empty: no tables
  /// iptables-legacy's tables, by family ("ip", "ip6") and name.
  std::map<std::pair<std::string, std::string>, kernel::iptables::Table> legacy;
};

struct HostView {
  LiveNetwork network;           ///< all nodes, unnamed: nothing is written on the host
  Topology topology;             ///< as network::discover reads it; the host is the node `host`
  std::vector<FoundNode> nodes;  ///< all but the host, by name
  std::vector<NamedNetwork> networks;
  std::map<std::string, FirewallText, std::less<>> firewalls;  ///< by node
  /// Containers that have no network of their own, and whose they have: "docker container x" → "host".
  std::map<std::string, std::string> sharing;
  std::vector<std::string> looked_at;  ///< in words: "Docker at /run/docker.sock: 2 containers"
  std::vector<HostNote> notes;
  /// It could not even look into its own namespace, so `topology` is empty: the notes say why.
  bool blind = false;

  const FoundNode* find(std::string_view name) const;
};

inline constexpr const char* kHostNode = "host";

}  // namespace plumbline::network
