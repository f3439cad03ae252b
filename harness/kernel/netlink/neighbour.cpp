#include "harness/kernel/netlink/neighbour.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "harness/kernel/netlink/family.hpp"

namespace plumbline::kernel::netlink {
namespace {

std::optional<NeighbourState> state_of(std::uint16_t number) {
  switch (number) {
    case NUD_INCOMPLETE:
      return NeighbourState::incomplete;
    case NUD_REACHABLE:
      return NeighbourState::reachable;
    case NUD_STALE:
      return NeighbourState::stale;
    case NUD_DELAY:
      return NeighbourState::delay;
    case NUD_PROBE:
      return NeighbourState::probe;
    case NUD_FAILED:
      return NeighbourState::failed;
    case NUD_NOARP:
      return NeighbourState::noarp;
    case NUD_PERMANENT:
      return NeighbourState::permanent;
    default:
      return std::nullopt;
  }
}

}  // namespace

const char* to_text(NeighbourState state) noexcept {
  switch (state) {
    case NeighbourState::incomplete:
      return "incomplete";
    case NeighbourState::reachable:
      return "reachable";
    case NeighbourState::stale:
      return "stale";
    case NeighbourState::delay:
      return "delay";
    case NeighbourState::probe:
      return "probe";
    case NeighbourState::failed:
      return "failed";
    case NeighbourState::noarp:
      return "noarp";
    case NeighbourState::permanent:
      return "permanent";
  }
  return "";
}

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

Message delete_neighbour(const NeighbourEntry& neighbour) {
  ndmsg header{};
  header.ndm_family = family_number(neighbour.address.family());
  header.ndm_ifindex = static_cast<int>(neighbour.index);
  Message message(RTM_DELNEIGH, 0, header);
  message.put_ip(NDA_DST, neighbour.address);
  return message;
}

Message get_neighbours() {
  return Message(RTM_GETNEIGH, 0, ndmsg{});
}

std::optional<NeighbourEntry> decode_neighbour_entry(const Received& message) {
  if (message.type != RTM_NEWNEIGH) return std::nullopt;
  const auto parts = split<ndmsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  if (header.ndm_family != AF_INET && header.ndm_family != AF_INET6) return std::nullopt;
  const auto state = state_of(header.ndm_state);
  const auto address = attributes.ip(NDA_DST);
  if (!state || header.ndm_ifindex <= 0) return std::nullopt;
  if (!address || family_number(address->family()) != header.ndm_family) return std::nullopt;
  return NeighbourEntry{static_cast<unsigned>(header.ndm_ifindex), *address, attributes.mac(NDA_LLADDR),
                        *state};
}

std::optional<Neighbour> decode_neighbour(const Received& message) {
  const auto entry = decode_neighbour_entry(message);
  if (!entry || !entry->mac) return std::nullopt;
  const NeighbourState state = entry->state;
  if (state == NeighbourState::incomplete || state == NeighbourState::failed ||
      state == NeighbourState::noarp) {
    return std::nullopt;
  }
  return Neighbour{entry->index, entry->address, *entry->mac, state == NeighbourState::permanent};
}

}  // namespace plumbline::kernel::netlink
