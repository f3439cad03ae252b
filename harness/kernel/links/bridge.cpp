#include "harness/kernel/links/bridge.hpp"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

namespace plumbline::kernel::links {

netlink::Message create(const Bridge& bridge) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(bridge.index);
  if (bridge.up) header.ifi_flags = header.ifi_change = IFF_UP;
  netlink::Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put_text(IFLA_IFNAME, bridge.name);
  if (bridge.mac) message.put_mac(IFLA_ADDRESS, *bridge.mac);
  if (bridge.mtu != 0) message.put_u32(IFLA_MTU, bridge.mtu);
  const auto info = message.nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "bridge");
  const auto data = message.nest(IFLA_INFO_DATA);
  message.put_u32(IFLA_BR_FORWARD_DELAY, 0);
  message.put_u32(IFLA_BR_STP_STATE, 0);
  return message;
}

std::optional<Bridge> decode_bridge(const netlink::Received& message) {
  if (message.type != RTM_NEWLINK) return std::nullopt;
  const auto parts = netlink::split<ifinfomsg>(message.payload);
  if (!parts || parts->first.ifi_index < 0) return std::nullopt;
  const auto& [header, attributes] = *parts;
  if (attributes.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND) != "bridge") return std::nullopt;
  const auto name = attributes.text(IFLA_IFNAME);
  if (!name) return std::nullopt;
  Bridge bridge;
  bridge.name = *name;
  bridge.index = static_cast<unsigned>(header.ifi_index);
  bridge.mac = attributes.mac(IFLA_ADDRESS);
  bridge.mtu = attributes.u32(IFLA_MTU).value_or(0);
  bridge.up = (header.ifi_flags & IFF_UP) != 0;
  return bridge;
}

}  // namespace plumbline::kernel::links
