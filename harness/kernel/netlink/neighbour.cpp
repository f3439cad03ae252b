#include "harness/kernel/netlink/neighbour.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "harness/kernel/netlink/family.hpp"

namespace plumbline::kernel::netlink {

Message add_neighbour(const Neighbour& neighbour) {
  ndmsg header{};
  header.ndm_family = family_number(neighbour.address.family());
  header.ndm_ifindex = static_cast<int>(neighbour.index);
  header.ndm_state = NUD_PERMANENT;
  Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, header);
  message.put_ip(NDA_DST, neighbour.address);
  message.put_mac(NDA_LLADDR, neighbour.mac);
  return message;
}

Message get_neighbours() {
  return Message(RTM_GETNEIGH, 0, ndmsg{});
}

std::optional<Neighbour> decode_neighbour(const Received& message) {
  if (message.type != RTM_NEWNEIGH) return std::nullopt;
  const auto parts = split<ndmsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  if (header.ndm_family != AF_INET && header.ndm_family != AF_INET6) return std::nullopt;
  if ((header.ndm_state & (NUD_NOARP | NUD_INCOMPLETE | NUD_FAILED)) != 0 || header.ndm_ifindex <= 0) {
    return std::nullopt;
  }
  const auto address = attributes.ip(NDA_DST);
  const auto mac = attributes.mac(NDA_LLADDR);
  if (!address || !mac || family_number(address->family()) != header.ndm_family) return std::nullopt;
  return Neighbour{static_cast<unsigned>(header.ndm_ifindex), *address, *mac,
                   (header.ndm_state & NUD_PERMANENT) != 0};
}

}  // namespace plumbline::kernel::netlink
