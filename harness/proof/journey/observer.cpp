#include "harness/proof/journey/observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace plumbline::proof {
namespace {

using traffic::IcmpHeader;
using traffic::Packet;
using traffic::TcpHeader;
using traffic::UdpHeader;

constexpr std::uint32_t kUdpBit = 1U << 16U;
/// How far from the initial sequence number a probe's exchange reaches, in bytes. Probes send and get less
/// than 1 KiB; a narrow window keeps a stranger's random numbers out.
constexpr std::uint32_t kSequenceWindow = 4096;

std::optional<std::uint64_t> leading_nonce(std::span<const std::uint8_t> payload) {
  if (payload.size() < 8) return std::nullopt;
  std::uint64_t nonce = 0;
  for (std::size_t i = 0; i < 8; ++i) nonce = nonce << 8U | payload[i];
  return nonce;
}

std::string question_key(std::uint16_t id, std::string_view name) {
  return fmt::format("{} {}", id, name);
}

}  // namespace

WatchId Observer::watch(Key key) {
  const WatchId id = watches_.size();
  if (const auto* nonce = std::get_if<NonceKey>(&key)) {
    by_nonce_[nonce->nonce] = id;
    if (nonce->port == 0) {
      by_echo_id_[nonce->source_port] = id;
    } else {
      by_port_[kUdpBit | nonce->source_port] = id;
    }
  } else if (const auto* tcp = std::get_if<TcpKey>(&key)) {
    by_port_[tcp->source_port] = id;
  } else if (const auto* dns = std::get_if<DnsKey>(&key)) {
    by_question_[question_key(dns->id, dns->name)] = id;
    by_port_[kUdpBit | dns->source_port] = id;
  }
  watches_.push_back(Watch{std::move(key), false, 0, {}, {}});
  return id;
}

void Observer::see(std::size_t tap, const std::string& node, const std::string& interface,
                   std::uint64_t time_ns, std::span<const std::uint8_t> frame, std::size_t original_length,
                   traffic::LinkType link_type) {
  const std::uint64_t sequence = frames_++;
  Packet packet = traffic::decode(frame, link_type);
  Match found{};
  if (match(packet, frame, found) == nullptr) return;
  Sighting sighting;
  sighting.time_ns = time_ns;
  sighting.sequence = sequence;
  sighting.tap = tap;
  sighting.node = node;
  sighting.interface = interface;
  sighting.leg = found.leg;
  sighting.packet = std::move(packet);
  sighting.bytes.assign(frame.begin(), frame.end());
  sighting.original_length = original_length;
  watches_[found.watch].sightings.push_back(std::move(sighting));
}

Journey Observer::journey(WatchId watch, const std::vector<unsigned>& distance) const {
  Journey journey;
  journey.sightings = watches_.at(watch).sightings;
  journey.sort(distance);
  return journey;
}

const Observer::Match* Observer::match(const Packet& packet, std::span<const std::uint8_t> frame,
                                       Match& into) {
  if (!packet.ip) return nullptr;
  if (const auto* tcp = std::get_if<TcpHeader>(&packet.transport)) return match_tcp(*tcp, into);
  if (const auto* icmp = std::get_if<IcmpHeader>(&packet.transport); icmp != nullptr && icmp->quoted) {
    return match_quoted(*icmp->quoted, frame, into);
  }
  return match_payload(packet, frame, into);
}

/// Which way a UDP packet of the exchange goes. NAT may change both ports: a pair that is new is the probe's
/// own, on its way; the same turned round is the answer to it.
Leg Observer::leg_of(Watch& watch, const UdpHeader& udp) {
  const auto& key = std::get<NonceKey>(watch.key);
  if (udp.source_port == key.source_port || udp.destination_port == key.port) return Leg::forward;
  if (udp.destination_port == key.source_port || udp.source_port == key.port) return Leg::reply;
  for (const Ports& known : watch.translated) {
    if (udp.source_port == known.source && udp.destination_port == known.destination) return Leg::forward;
    if (udp.source_port == known.destination && udp.destination_port == known.source) return Leg::reply;
  }
  watch.translated.push_back({udp.source_port, udp.destination_port});
  return Leg::forward;
}

const Observer::Match* Observer::match_payload(const Packet& packet, std::span<const std::uint8_t> frame,
                                               Match& into) {
  const auto payload = packet.payload(frame);
  const auto nonce = leading_nonce(payload);
  const auto found = nonce ? by_nonce_.find(*nonce) : by_nonce_.end();
  if (found == by_nonce_.end()) return match_dns(packet, payload, into);
  if (const auto* icmp = std::get_if<IcmpHeader>(&packet.transport)) {
    if (!icmp->is_echo_request() && !icmp->is_echo_reply()) return nullptr;
    into = {found->second, icmp->is_echo_request() ? Leg::forward : Leg::reply};
    return &into;
  }
  if (const auto* udp = std::get_if<UdpHeader>(&packet.transport)) {
    into = {found->second, leg_of(watches_[found->second], *udp)};
    return &into;
  }
  return nullptr;
}

const Observer::Match* Observer::match_dns(const Packet& packet, std::span<const std::uint8_t> payload,
                                           Match& into) const {
  if (by_question_.empty() || !std::holds_alternative<UdpHeader>(packet.transport)) return nullptr;
  const auto question = traffic::decode_dns_question(payload);
  if (!question) return nullptr;
  const auto found = by_question_.find(question_key(question->id, question->name));
  if (found == by_question_.end()) return nullptr;
  into = {found->second, question->response ? Leg::reply : Leg::forward};
  return &into;
}

const Observer::Match* Observer::match_tcp(const TcpHeader& tcp, Match& into) {
  if (const auto own = by_port_.find(tcp.source_port); own != by_port_.end()) {
    Watch& watch = watches_[own->second];
    // The port is bound by us alone, so the first SYN from it is ours, wherever a DNAT of the sender has sent
    // it.
    if (tcp.syn && !tcp.ack && !watch.sequence_known) {
      watch.sequence_known = true;
      watch.initial_sequence = tcp.sequence;
      by_sequence_[tcp.sequence] = own->second;
    }
    if (match_sequence(own->second, tcp, into) != nullptr) return &into;
  }
  if (const auto own = by_port_.find(tcp.destination_port); own != by_port_.end()) {
    if (match_sequence(own->second, tcp, into) != nullptr) return &into;
  }
  // NAT may have changed the ports: then the numbers tell, with the ports that its SYN was given as second
  // witness.
  learn_ports(tcp);
  for (const std::uint32_t number : {tcp.sequence, tcp.acknowledgment}) {
    auto near = by_sequence_.upper_bound(number);
    if (near == by_sequence_.begin()) continue;
    --near;
    if (match_sequence(near->second, tcp, into) != nullptr) return &into;
  }
  return nullptr;
}

/// A SYN with exactly a probe's initial sequence number is that probe, whatever its ports are by now: 32
/// random bits that agree by chance are less likely than any other error here.
void Observer::learn_ports(const TcpHeader& tcp) {
  if (!tcp.syn || tcp.ack) return;
  const auto known = by_sequence_.find(tcp.sequence);
  if (known == by_sequence_.end()) return;
  auto& translated = watches_[known->second].translated;
  const auto same = [&](const Ports& p) {
    return p.source == tcp.source_port && p.destination == tcp.destination_port;
  };
  if (std::ranges::none_of(translated, same)) translated.push_back({tcp.source_port, tcp.destination_port});
}

const Observer::Match* Observer::match_sequence(WatchId id, const TcpHeader& tcp, Match& into) const {
  const Watch& watch = watches_[id];
  if (!watch.sequence_known) return nullptr;
  const auto& key = std::get<TcpKey>(watch.key);
  const auto fits = [&](std::uint16_t near, std::uint16_t far) {
    if (near == key.source_port || far == key.port) return true;
    return std::ranges::any_of(watch.translated,
                               [&](const Ports& p) { return near == p.source && far == p.destination; });
  };
  if (fits(tcp.source_port, tcp.destination_port) &&
      tcp.sequence - watch.initial_sequence < kSequenceWindow) {
    into = {id, Leg::forward};
    return &into;
  }
  if (fits(tcp.destination_port, tcp.source_port) && tcp.ack &&
      tcp.acknowledgment - watch.initial_sequence < kSequenceWindow) {
    into = {id, Leg::reply};
    return &into;
  }
  return nullptr;
}

const Observer::Match* Observer::match_quoted(const Packet& quoted, std::span<const std::uint8_t> frame,
                                              Match& into) {
  if (!quoted.ip) return nullptr;
  if (const auto* tcp = std::get_if<TcpHeader>(&quoted.transport)) {
    if (match_tcp(*tcp, into) == nullptr) return nullptr;
  } else if (match_payload(quoted, frame, into) == nullptr) {
    // RFC 792 promises only 8 bytes of the transport: the ports, or the echo id.
    const auto* udp = std::get_if<UdpHeader>(&quoted.transport);
    const auto* icmp = std::get_if<IcmpHeader>(&quoted.transport);
    if (udp != nullptr) {
      const auto found = by_port_.find(kUdpBit | udp->source_port);
      if (found == by_port_.end()) return nullptr;
      into.watch = found->second;
    } else if (icmp != nullptr && icmp->is_echo_request()) {
      const auto found = by_echo_id_.find(icmp->echo_id);
      if (found == by_echo_id_.end()) return nullptr;
      into.watch = found->second;
    } else {
      return nullptr;
    }
  }
  into.leg = Leg::error;
  return &into;
}

}  // namespace plumbline::proof
