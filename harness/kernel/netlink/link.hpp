#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

/// Of IPv4 on a link.
struct LinkIpv4 {
  bool forwarding = false;
  std::int32_t rp_filter = 0;
};

/// Of IPv6 on a link.
struct LinkIpv6 {
  bool enabled = false;     ///< disable_ipv6 is not set
  bool ready = false;       ///< IF_READY: the link was seen up, so its link-local address is being made
  bool link_local = false;  ///< that the kernel makes one (addr_gen_mode is not none)
  bool forwarding = false;
};

/// Of a bridge's port.
struct LinkPort {
  bool hairpin = false;   ///< a frame may go back by the port that it came in by
  bool isolated = false;  ///< exchanges frames only with ports that are not isolated
  bool learning = true;
  bool unicast_flood = true;
  bool locked = false;  ///< lets nobody in whose address it has no entry for
};

/// Of a bridge.
struct LinkBridge {
  std::uint32_t ageing = 30'000;  ///< until an entry is forgotten, in 1/100 s; 0: nothing is learned
  bool spanning_tree = false;
};

/// A link as the kernel reports it (RTM_NEWLINK).
struct Link {
  unsigned index = 0;
  std::string name;
  std::string kind;  ///< IFLA_INFO_KIND: "veth"; empty for loopback and hardware
  bool loopback = false;
  bool up = false;        ///< IFF_UP: what the administrator asked for
  bool running = false;   ///< IFF_RUNNING: operational, carrier included
  std::uint32_t mtu = 0;  ///< bytes
  std::optional<MacAddress> mac;
  unsigned master = 0;  ///< index; 0: none
  unsigned link = 0;    ///< IFLA_LINK: a veth's peer, by its index over there; 0: none
  std::optional<std::int32_t>
      link_nsid;             ///< the namespace of `link` as this one numbers it; absent: this one
  bool arp = true;           ///< IFF_NOARP is not set
  bool promiscuous = false;  ///< IFF_PROMISC: as the administrator asked, not for a program that listens
  std::optional<std::uint8_t> port_state;  ///< of a bridge port: BR_STATE_…, 3 is forwarding
  std::optional<LinkPort> port;            ///< of a bridge port
  std::optional<LinkBridge> bridge;        ///< of a bridge

  std::optional<LinkIpv4> ipv4;
  std::optional<LinkIpv6> ipv6;  ///< absent where IPv6 is not there (no support, or a small MTU)
};

/// For Socket::dump. Statistics are left out: they are most of the bytes, and unused here.
Message get_links();
/// For Socket::execute: one link, by index.
Message get_link(unsigned index);
std::optional<Link> decode_link(const Received& message);

/// Takes a link away; of a veth both ends go.
Message delete_link(unsigned index);

/// What to change about a link. Only what is set is touched.
struct LinkChange {
  unsigned index = 0;
  std::optional<bool> up;
  std::optional<unsigned> master;  ///< index; 0: no longer a port
  std::optional<MacAddress> mac;
  std::optional<std::uint32_t> mtu;  ///< bytes
};
Message set_link(const LinkChange& change);

}  // namespace plumbline::kernel::netlink
