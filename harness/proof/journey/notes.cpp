#include "harness/proof/journey/notes.hpp"

#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace plumbline::proof {
namespace {

using traffic::IcmpHeader;
using traffic::Packet;
using traffic::TcpHeader;
using traffic::UdpHeader;

constexpr std::size_t kSll2Header = 20, kEthernetHeader = 14;

std::size_t link_header(traffic::LinkType type) {
  switch (type) {
    case traffic::LinkType::linux_sll2:
      return kSll2Header;
    case traffic::LinkType::ethernet:
      return kEthernetHeader;
    case traffic::LinkType::raw_ip:
      return 0;
  }
  return 0;
}

/// Of the IP packet, in bytes. Where it does not say itself (BIG TCP), what the frame has.
std::size_t packet_length(const Sighting& sighting) {
  const traffic::IpHeader& ip = *sighting.packet.ip;
  const bool says = ip.source.is_v4() ? ip.total_length != 0 : ip.total_length > 40;
  if (says) return ip.total_length;
  const std::size_t header = link_header(sighting.link_type);
  return sighting.original_length > header ? sighting.original_length - header : 0;
}

/// Only of these a device makes one from several, or several from one.
bool may_be_joined(const Packet& packet) {
  return std::holds_alternative<TcpHeader>(packet.transport) ||
         std::holds_alternative<UdpHeader>(packet.transport);
}

void add(std::string& text, const char* note) {
  if (!text.empty()) text += "; ";
  text += note;
}

struct Ports {
  std::uint16_t source = 0, destination = 0;
};

Ports ports_of(const Packet& packet) {
  if (const auto* tcp = std::get_if<TcpHeader>(&packet.transport)) {
    return {tcp->source_port, tcp->destination_port};
  }
  if (const auto* udp = std::get_if<UdpHeader>(&packet.transport)) {
    return {udp->source_port, udp->destination_port};
  }
  // An echo's id is its asker's, as a source port is.
  const auto* icmp = std::get_if<IcmpHeader>(&packet.transport);
  if (icmp != nullptr && icmp->is_echo_request()) return {icmp->echo_id, 0};
  if (icmp != nullptr && icmp->is_echo_reply()) return {0, icmp->echo_id};
  return {};
}

Translated difference(const Packet& made, const Packet& here) {
  const Ports then = ports_of(made), now = ports_of(here);
  return {made.ip->source != here.ip->source || then.source != now.source,
          made.ip->destination != here.ip->destination || then.destination != now.destination};
}

/// The packets of `leg` as whoever made them sent them. A probe has one sender; answers and errors may come
/// from several nodes, none of which had sent the probe on.
std::vector<const Sighting*> made_by_senders(const Journey& journey, Leg leg) {
  std::vector<const Sighting*> made;
  std::set<std::string_view> seen;
  for (const Sighting& sighting : journey.sightings) {
    const bool out = sighting.packet.direction == traffic::Direction::out;
    if (leg != Leg::forward && sighting.leg == Leg::forward && out) seen.insert(sighting.node);
    if (sighting.leg != leg || !sighting.packet.ip) continue;
    const bool first_here = seen.insert(sighting.node).second;
    const bool from_here = out || sighting.interface == "lo";
    if (made.empty() || (leg != Leg::forward && first_here && from_here)) made.push_back(&sighting);
  }
  return made;
}

}  // namespace

std::string offload_note(const Sighting& sighting, std::uint32_t mtu) {
  std::string text;
  if (sighting.packet.checksum == traffic::Checksum::partial) add(text, "checksum left to the device");
  if (sighting.packet.checksum == traffic::Checksum::bad) add(text, "bad checksum");
  if (!sighting.packet.ip || mtu == 0 || !may_be_joined(sighting.packet)) return text;
  if (packet_length(sighting) > mtu) add(text, "segments joined (offload)");
  return text;
}

Translated translated_at(const Journey& journey, std::size_t index) {
  if (index >= journey.sightings.size()) return {};
  const Sighting& here = journey.sightings[index];
  if (here.leg == Leg::neighbour || !here.packet.ip) return {};
  std::optional<Translated> against_first;
  for (const Sighting* made : made_by_senders(journey, here.leg)) {
    const Translated found = difference(made->packet, here.packet);
    if (found == Translated{}) return {};
    if (!against_first) against_first = found;
  }
  return against_first.value_or(Translated{});
}

}  // namespace plumbline::proof
