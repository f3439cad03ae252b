#include "harness/kernel/netlink/link.hpp"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

namespace plumbline::kernel::netlink {
namespace {

constexpr std::uint32_t kIpv6Ready = 0x80000000;  // IF_READY of include/net/if_inet6.h
constexpr unsigned kUp = IFF_UP;
constexpr std::uint32_t kSkipStatistics = 1U << 3;  // RTEXT_FILTER_SKIP_STATS
constexpr std::uint8_t kNoLinkLocal = 1;            // IN6_ADDR_GEN_MODE_NONE

// One value of the devconf array that the kernel puts into AF_SPEC; absent when the array is shorter.
std::optional<std::int32_t> devconf(const Attributes& family, std::uint16_t type, std::size_t index) {
  const auto values = family.bytes(type);
  std::int32_t value = 0;
  if (!values || values->size() < (index + 1) * sizeof value) return std::nullopt;
  std::memcpy(&value, values->data() + index * sizeof value, sizeof value);
  return value;
}

void decode_families(const Attributes& attributes, Link& link) {
  const Attributes families = attributes.nested(IFLA_AF_SPEC);
  if (families.bytes(AF_INET)) {
    const Attributes family = families.nested(AF_INET);
    // IPV4_DEVCONF_… count from 1.
    link.ipv4.emplace();
    link.ipv4->forwarding = devconf(family, IFLA_INET_CONF, IPV4_DEVCONF_FORWARDING - 1).value_or(0) != 0;
    link.ipv4->rp_filter = devconf(family, IFLA_INET_CONF, IPV4_DEVCONF_RP_FILTER - 1).value_or(0);
  }
  if (families.bytes(AF_INET6)) {
    const Attributes family = families.nested(AF_INET6);
    link.ipv6.emplace();
    link.ipv6->enabled = devconf(family, IFLA_INET6_CONF, DEVCONF_DISABLE_IPV6) == 0;
    link.ipv6->ready = (family.u32(IFLA_INET6_FLAGS).value_or(0) & kIpv6Ready) != 0;
    link.ipv6->link_local = family.u8(IFLA_INET6_ADDR_GEN_MODE).value_or(0) != kNoLinkLocal;
    link.ipv6->forwarding = devconf(family, IFLA_INET6_CONF, DEVCONF_FORWARDING).value_or(0) != 0;
  }
}

}  // namespace

Message get_links() {
  Message message(RTM_GETLINK, 0, ifinfomsg{});
  message.put_u32(IFLA_EXT_MASK, kSkipStatistics);
  return message;
}

Message get_link(unsigned index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  Message message(RTM_GETLINK, 0, header);
  message.put_u32(IFLA_EXT_MASK, kSkipStatistics);
  return message;
}

std::optional<Link> decode_link(const Received& message) {
  if (message.type != RTM_NEWLINK) return std::nullopt;
  const auto parts = split<ifinfomsg>(message.payload);
  if (!parts || parts->first.ifi_index <= 0) return std::nullopt;
  const auto& [header, attributes] = *parts;
  const auto name = attributes.text(IFLA_IFNAME);
  if (!name) return std::nullopt;

  Link link;
  link.index = static_cast<unsigned>(header.ifi_index);
  link.name = *name;
  link.loopback = header.ifi_type == ARPHRD_LOOPBACK;
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.running = (header.ifi_flags & IFF_RUNNING) != 0;
  link.arp = (header.ifi_flags & IFF_NOARP) == 0;
  link.promiscuous = (header.ifi_flags & IFF_PROMISC) != 0;
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.mac = attributes.mac(IFLA_ADDRESS);
  link.master = attributes.u32(IFLA_MASTER).value_or(0);
  link.link = attributes.u32(IFLA_LINK).value_or(0);
  link.link_nsid = attributes.s32(IFLA_LINK_NETNSID);
  const Attributes info = attributes.nested(IFLA_LINKINFO);
  link.kind = info.text(IFLA_INFO_KIND).value_or("");
  if (info.text(IFLA_INFO_SLAVE_KIND) == "bridge") {
    const Attributes port = info.nested(IFLA_INFO_SLAVE_DATA);
    link.port_state = port.u8(IFLA_BRPORT_STATE);
    link.port = LinkPort{
        port.u8(IFLA_BRPORT_MODE).value_or(0) != 0, port.u8(IFLA_BRPORT_ISOLATED).value_or(0) != 0,
        port.u8(IFLA_BRPORT_LEARNING).value_or(1) != 0, port.u8(IFLA_BRPORT_UNICAST_FLOOD).value_or(1) != 0,
        port.u8(IFLA_BRPORT_LOCKED).value_or(0) != 0};
  }
  if (link.kind == "bridge") {
    const Attributes bridge = info.nested(IFLA_INFO_DATA);
    link.bridge.emplace();
    link.bridge->ageing = bridge.u32(IFLA_BR_AGEING_TIME).value_or(link.bridge->ageing);
    link.bridge->spanning_tree = bridge.u32(IFLA_BR_STP_STATE).value_or(0) != 0;
  }
  decode_families(attributes, link);
  return link;
}

Message delete_link(unsigned index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  return Message(RTM_DELLINK, 0, header);
}

Message set_link(const LinkChange& change) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(change.index);
  if (change.up) {
    header.ifi_change = kUp;
    header.ifi_flags = *change.up ? kUp : 0U;
  }
  Message message(RTM_NEWLINK, 0, header);
  if (change.mac) message.put_mac(IFLA_ADDRESS, *change.mac);
  if (change.mtu) message.put_u32(IFLA_MTU, *change.mtu);
  if (change.master) message.put_u32(IFLA_MASTER, *change.master);
  return message;
}

}  // namespace plumbline::kernel::netlink
