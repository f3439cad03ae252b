#include "harness/proof/diagnosis/packet_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

constexpr std::size_t kTransportHeader = 8;  // of ICMP echo and of UDP

bool says_too_big(const traffic::IcmpHeader& icmp) {
  return icmp.v6 ? icmp.type == 2 : icmp.type == 3 && icmp.code == 4;
}

const traffic::IcmpHeader* too_big_in(const Sighting& sighting) {
  const auto* icmp = std::get_if<traffic::IcmpHeader>(&sighting.packet.transport);
  if (sighting.leg != Leg::error || icmp == nullptr || !icmp->quoted || !icmp->quoted->ip) return nullptr;
  return says_too_big(*icmp) ? icmp : nullptr;
}

/// Where packets of `leg` come from, which is where errors about them go.
std::string sender_of(const Journey& journey, Leg leg) {
  for (const Sighting& sighting : journey.sightings) {
    if (sighting.leg == leg && sighting.packet.direction == traffic::Direction::out) return sighting.node;
  }
  return {};
}

/// A packet with that source was seen on that leg.
bool went(const Journey& journey, Leg leg, const IpAddress& source, const IpAddress& destination) {
  return std::ranges::any_of(journey.sightings, [&](const Sighting& sighting) {
    return sighting.leg == leg && sighting.packet.ip && sighting.packet.ip->source == source &&
           sighting.packet.ip->destination == destination;
  });
}

void raise_one(const Case& question, Facts& facts, const network::Endpoint& end, std::size_t bytes,
               std::vector<std::string>& commands) {
  const auto link = facts.link(end.node, end.interface);
  if (!link || link->mtu >= bytes) return;
  commands.push_back(on(end.node, question, fmt::format("ip link set dev {} mtu {}", end.interface, bytes)));
}

}  // namespace

std::size_t packet_size(const Case& question) {
  if (question.payload_bytes == 0) return 0;
  constexpr std::size_t v4_header = 20;
  constexpr std::size_t v6_header = 40;
  return question.payload_bytes + kTransportHeader + (question.to.is_v4() ? v4_header : v6_header);
}

std::size_t largest_packet(const Journey& journey, Leg leg) {
  std::size_t largest = 0;
  for (const Sighting& sighting : journey.sightings) {
    if (sighting.leg == leg && sighting.packet.ip)
      largest = std::max(largest, sighting.packet.ip->total_length);
  }
  return largest;
}

std::optional<TooBig> too_big(const Journey& journey) {
  std::optional<TooBig> found;
  for (const Sighting& sighting : journey.sightings) {
    const traffic::IcmpHeader* icmp = too_big_in(sighting);
    if (icmp == nullptr) continue;
    if (!found) {
      found.emplace();
      found->made_by = sighting.node;
      found->mtu = icmp->v6 ? icmp->rest : icmp->rest & 0xFFFFU;
      found->packet_bytes = icmp->quoted->ip->total_length;
      found->quoted_source = icmp->quoted->ip->source;
      found->quoted_destination = icmp->quoted->ip->destination;
      found->first = &sighting;
      const bool answer = went(journey, Leg::reply, found->quoted_source, found->quoted_destination);
      found->leg = answer ? Leg::reply : Leg::forward;
    }
    found->last = &sighting;
    const bool home = sighting.node == sender_of(journey, found->leg);
    if (home && sighting.packet.direction != traffic::Direction::out) found->reached = &sighting;
  }
  return found;
}

std::optional<network::Endpoint> narrow_link(Facts& facts, std::string node, const IpAddress& to,
                                             std::size_t bytes) {
  constexpr int longest_way = 64;
  for (int hops = 0; hops < longest_way; ++hops) {
    RouteQuestion asked;
    asked.to = to;
    const RouteAnswer answer = facts.route(node, asked);
    if (!answer.found() || answer.type == kernel::netlink::LookupType::local) return std::nullopt;
    const auto link = facts.link(node, answer.dev);
    if (link && link->mtu != 0 && link->mtu < bytes) return network::Endpoint{node, answer.dev};
    const auto next = holder_on_link(facts, {node, answer.dev}, answer.via.value_or(to));
    if (!next) return std::nullopt;
    node = next->node;
  }
  return std::nullopt;
}

std::vector<std::string> raise_mtu(const Case& question, Facts& facts, const network::Endpoint& end,
                                   std::size_t bytes) {
  std::vector<std::string> commands;
  raise_one(question, facts, end, bytes, commands);
  const network::Node* node = facts.topology().find(end.node);
  const network::Interface* interface = node == nullptr ? nullptr : node->find_interface(end.interface);
  if (interface != nullptr && interface->peer) raise_one(question, facts, *interface->peer, bytes, commands);
  return commands;
}

}  // namespace plumbline::proof
