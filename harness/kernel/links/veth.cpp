#include "harness/kernel/links/veth.hpp"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

namespace plumbline::kernel::links {
namespace {

void put_end(netlink::Message& message, const VethEnd& end) {
  message.put_text(IFLA_IFNAME, end.name);
  if (end.netns_fd) message.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(*end.netns_fd));
  if (end.mac) message.put_mac(IFLA_ADDRESS, *end.mac);
  if (end.mtu != 0) message.put_u32(IFLA_MTU, end.mtu);
}

std::optional<VethEnd> decode_end(const ifinfomsg& header, const netlink::Attributes& attributes) {
  const auto name = attributes.text(IFLA_IFNAME);
  if (!name || header.ifi_index < 0) return std::nullopt;
  VethEnd end;
  end.name = *name;
  end.netns_fd = attributes.s32(IFLA_NET_NS_FD);
  end.index = static_cast<unsigned>(header.ifi_index);
  end.mac = attributes.mac(IFLA_ADDRESS);
  end.mtu = attributes.u32(IFLA_MTU).value_or(0);
  return end;
}

}  // namespace

netlink::Message create(const Veth& veth) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(veth.end.index);
  if (veth.up) header.ifi_flags = header.ifi_change = IFF_UP;
  netlink::Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  put_end(message, veth.end);
  if (veth.master != 0) message.put_u32(IFLA_MASTER, veth.master);
  const auto info = message.nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "veth");
  const auto data = message.nest(IFLA_INFO_DATA);
  const auto peer = message.nest(VETH_INFO_PEER);
  ifinfomsg peer_header{};
  peer_header.ifi_index = static_cast<int>(veth.peer.index);
  message.append(peer_header);
  put_end(message, veth.peer);
  return message;
}

std::optional<Veth> decode_veth(const netlink::Received& message) {
  if (message.type != RTM_NEWLINK) return std::nullopt;
  const auto parts = netlink::split<ifinfomsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  const netlink::Attributes info = attributes.nested(IFLA_LINKINFO);
  if (info.text(IFLA_INFO_KIND) != "veth") return std::nullopt;
  const auto peer_bytes = info.nested(IFLA_INFO_DATA).bytes(VETH_INFO_PEER);
  if (!peer_bytes) return std::nullopt;
  const auto peer_parts = netlink::split<ifinfomsg>(*peer_bytes);
  if (!peer_parts) return std::nullopt;
  const auto end = decode_end(header, attributes);
  const auto peer = decode_end(peer_parts->first, peer_parts->second);
  if (!end || !peer) return std::nullopt;
  return Veth{*end, attributes.u32(IFLA_MASTER).value_or(0), (header.ifi_flags & IFF_UP) != 0, *peer};
}

}  // namespace plumbline::kernel::links
