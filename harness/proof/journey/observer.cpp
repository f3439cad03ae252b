#include "harness/proof/journey/observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
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

/// The least that is left of an IP header that an error quotes: all before IPv4's addresses.
constexpr std::size_t kQuotedBytes = 12;

/// What makes an IP header one packet's, however many routers the packet has passed: of IPv4 also its
/// checksum, without the TTL's part in it, of IPv6 the flow label. `source` is part of it: an error goes
/// there. Absent: it is too short, or none that errors about probes quote.
std::optional<std::string> fingerprint(std::span<const std::uint8_t> header, const IpAddress& source) {
  if (header.size() < kQuotedBytes) return std::nullopt;
  const bool v4 = header[0] == 0x45;
  if (!v4 && header[0] >> 4U != 6) return std::nullopt;
  std::string bytes = source.to_string();
  bytes += ' ';
  const auto add = [&](std::size_t at, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(header[at + i]);
  };
  if (!v4) {
    add(0, 7);  // all but the hop limit
    return bytes;
  }
  add(2, 6);
  add(9, 1);
  std::uint32_t sum = static_cast<std::uint32_t>(header[10]) << 8U | header[11];
  sum += static_cast<std::uint32_t>(header[8]) << 8U;
  sum %= 0xFFFFU;  // as sums of ones' complements are
  bytes += static_cast<char>(sum >> 8U & 0xFFU);
  bytes += static_cast<char>(sum & 0xFFU);
  return bytes;
}

/// The IP header that a transport header follows directly: with neither options nor extensions.
std::span<const std::uint8_t> plain_header(const Packet& packet, std::span<const std::uint8_t> frame) {
  const std::size_t length = packet.ip->source.is_v4() ? 20 : 40;
  if (packet.transport_offset < length || packet.transport_offset > frame.size()) return {};
  return frame.subspan(packet.transport_offset - length, length);
}

std::string question_key(std::uint16_t id, std::string_view name) {
  return fmt::format("{} {}", id, name);
}

}  // namespace

WatchId Observer::watch(Key key, std::uint64_t sent_ns) {
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
    by_question_id_.emplace(dns->id, id);
    by_port_[kUdpBit | dns->source_port] = id;
  }
  Watch& watch = watches_.emplace_back();
  watch.key = std::move(key);
  watch.sent_ns = sent_ns;
  const auto* tcp = std::get_if<TcpKey>(&watch.key);
  if (tcp != nullptr && tcp->initial_sequence) know_sequence(id, *tcp->initial_sequence);
  return id;
}

std::optional<WatchId> Observer::see(std::size_t tap, const std::string& node, const std::string& interface,
                                     std::uint64_t time_ns, std::span<const std::uint8_t> frame,
                                     std::size_t original_length, traffic::LinkType link_type) {
  const std::uint64_t sequence = frames_++;
  Packet packet = traffic::decode(frame, link_type);
  learn(packet);
  const auto found = recognise(packet, frame);
  const auto question = found ? std::nullopt : neighbour_question(packet);
  if (!found && !question) return std::nullopt;
  if (found) {
    learn(*found, packet);
    if (found->leg != Leg::error) learn_header(found->watch, packet, frame);
    packet.checksum = traffic::checksum_of(packet, frame);
  }
  Sighting sighting;
  sighting.time_ns = time_ns;
  sighting.sequence = sequence;
  sighting.tap = tap;
  sighting.node = node;
  sighting.interface = interface;
  sighting.packet = std::move(packet);
  sighting.bytes.assign(frame.begin(), frame.end());
  sighting.original_length = original_length;
  sighting.link_type = link_type;
  if (!found) {
    neighbours_.add(*question, std::move(sighting));
    return std::nullopt;
  }
  sighting.leg = found->leg;
  watches_[found->watch].sightings.push_back(std::move(sighting));
  return found->watch;
}

Journey Observer::journey(WatchId watch, const Terrain& terrain) const {
  static const Cables none;
  const Cables& cables = terrain.cables == nullptr ? none : *terrain.cables;
  Journey journey;
  journey.sightings = watches_.at(watch).sightings;
  journey.sort(terrain.distance, cables);
  if (terrain.lowers != nullptr) journey.mark_from_above(*terrain.lowers);
  auto waited = neighbours_.waited_for(journey.sightings, watches_.at(watch).sent_ns, terrain);
  if (waited.empty()) return journey;
  std::ranges::move(waited, std::back_inserter(journey.sightings));
  journey.sort(terrain.distance, cables);
  return journey;
}

std::optional<Recognised> Observer::recognise(const Packet& packet,
                                              std::span<const std::uint8_t> frame) const {
  if (!packet.ip) return std::nullopt;
  if (const auto* tcp = std::get_if<TcpHeader>(&packet.transport)) return match_tcp(*tcp);
  if (const auto* icmp = std::get_if<IcmpHeader>(&packet.transport); icmp != nullptr && icmp->quoted) {
    return icmp->quoted->ip ? match_quoted(*icmp->quoted, frame) : match_cut_quote(packet, frame);
  }
  return match_payload(packet, frame);
}

void Observer::know_sequence(WatchId id, std::uint32_t sequence) {
  Watch& watch = watches_[id];
  watch.sequence_known = true;
  watch.initial_sequence = sequence;
  by_sequence_[sequence] = id;
}

void Observer::learn(const Packet& packet) {
  if (!packet.ip) return;
  if (const auto* tcp = std::get_if<TcpHeader>(&packet.transport)) learn(*tcp);
  if (const auto* icmp = std::get_if<IcmpHeader>(&packet.transport); icmp != nullptr && icmp->quoted) {
    learn(*icmp->quoted);
  }
}

/// The port is bound by us alone, so the first SYN from it is taken for ours where its number is not known
/// yet, wherever a DNAT of the sender has sent it. A SYN with exactly a probe's initial sequence number is
/// that probe, whatever its ports are by now: 32 random bits that agree by chance are less likely than any
/// other error here.
void Observer::learn(const TcpHeader& tcp) {
  if (!tcp.syn || tcp.ack) return;
  if (const auto own = by_port_.find(tcp.source_port); own != by_port_.end()) {
    if (!watches_[own->second].sequence_known) know_sequence(own->second, tcp.sequence);
  }
  const auto known = by_sequence_.find(tcp.sequence);
  if (known == by_sequence_.end()) return;
  auto& translated = watches_[known->second].translated;
  const auto same = [&](const Ports& p) {
    return p.source == tcp.source_port && p.destination == tcp.destination_port;
  };
  if (std::ranges::none_of(translated, same)) translated.push_back({tcp.source_port, tcp.destination_port});
}

/// A SYN+ACK tells the answerer's initial sequence number. NAT may change both of UDP's ports: a pair that is
/// new is the probe's own, on its way; the same turned round is the answer to it.
void Observer::learn(const Recognised& match, const Packet& packet) {
  const auto* udp = std::get_if<UdpHeader>(&packet.transport);
  Watch& watch = watches_[match.watch];
  const auto* tcp = std::get_if<TcpHeader>(&packet.transport);
  if (tcp != nullptr && match.leg == Leg::reply && tcp->syn && tcp->ack) {
    watch.peer_sequence = tcp->sequence;
    by_peer_sequence_[tcp->sequence] = match.watch;
  }
  if (udp == nullptr || !std::holds_alternative<NonceKey>(watch.key) || known_leg(watch, *udp)) return;
  watch.translated.push_back({udp->source_port, udp->destination_port});
}

std::optional<Leg> Observer::known_leg(const Watch& watch, const UdpHeader& udp) {
  const auto& key = std::get<NonceKey>(watch.key);
  if (udp.source_port == key.source_port || udp.destination_port == key.port) return Leg::forward;
  if (udp.destination_port == key.source_port || udp.source_port == key.port) return Leg::reply;
  for (const Ports& known : watch.translated) {
    if (udp.source_port == known.source && udp.destination_port == known.destination) return Leg::forward;
    if (udp.source_port == known.destination && udp.destination_port == known.source) return Leg::reply;
  }
  return std::nullopt;
}

std::optional<Recognised> Observer::match_payload(const Packet& packet,
                                                  std::span<const std::uint8_t> frame) const {
  const auto payload = packet.payload(frame);
  const auto nonce = leading_nonce(payload);
  const auto found = nonce ? by_nonce_.find(*nonce) : by_nonce_.end();
  if (found == by_nonce_.end()) return match_dns(packet, payload);
  if (const auto* icmp = std::get_if<IcmpHeader>(&packet.transport)) {
    if (!icmp->is_echo_request() && !icmp->is_echo_reply()) return std::nullopt;
    return Recognised{found->second, icmp->is_echo_request() ? Leg::forward : Leg::reply};
  }
  if (const auto* udp = std::get_if<UdpHeader>(&packet.transport)) {
    return Recognised{found->second, known_leg(watches_[found->second], *udp).value_or(Leg::forward)};
  }
  return std::nullopt;
}

std::optional<Recognised> Observer::match_dns(const Packet& packet,
                                              std::span<const std::uint8_t> payload) const {
  const auto* udp = std::get_if<UdpHeader>(&packet.transport);
  if (by_question_.empty() || udp == nullptr) return std::nullopt;
  if (packet.payload_total > packet.payload_length) return match_cut_dns(*udp, payload);
  const auto question = traffic::decode_dns_question(payload);
  if (!question) return std::nullopt;
  const auto found = by_question_.find(question_key(question->id, question->name));
  if (found == by_question_.end()) return match_other_name(*question, *udp);
  return Recognised{found->second, question->response ? Leg::reply : Leg::forward};
}

/// An answer for another name is one all the same, though nobody takes it: it comes to the very port that
/// asked, with the question's id. A forwarder may answer in another spelling: dnsmasq does, of two that ask
/// for one name at once, in the first one's (its forward_query joins the second to the question under way).
std::optional<Recognised> Observer::match_other_name(const traffic::DnsQuestion& question,
                                                     const UdpHeader& udp) const {
  if (!question.response) return std::nullopt;
  const auto [first, last] = by_question_id_.equal_range(question.id);
  for (auto each = first; each != last; ++each) {
    const auto& key = std::get<DnsKey>(watches_[each->second].key);
    if (udp.destination_port == key.source_port) return Recognised{each->second, Leg::reply};
  }
  return std::nullopt;
}

/// A message cut before its question is known by its id and the asker's port; by the id and
/// the server's port where NAT has changed the other.
std::optional<Recognised> Observer::match_cut_dns(const UdpHeader& udp,
                                                  std::span<const std::uint8_t> payload) const {
  if (payload.size() < 3) return std::nullopt;
  const auto id = static_cast<std::uint16_t>(payload[0] << 8U | payload[1]);
  const bool response = (payload[2] & 0x80U) != 0;
  const std::uint16_t near = response ? udp.destination_port : udp.source_port;
  const std::uint16_t far = response ? udp.source_port : udp.destination_port;
  std::optional<Recognised> translated;
  const auto [first, last] = by_question_id_.equal_range(id);
  for (auto each = first; each != last; ++each) {
    const auto& key = std::get<DnsKey>(watches_[each->second].key);
    const Recognised match{each->second, response ? Leg::reply : Leg::forward};
    if (near == key.source_port) return match;
    if (far == key.port) translated = match;
  }
  return translated;
}

std::optional<Recognised> Observer::match_tcp(const TcpHeader& tcp) const {
  for (const std::uint16_t port : {tcp.source_port, tcp.destination_port}) {
    const auto own = by_port_.find(port);
    if (own == by_port_.end()) continue;
    if (const auto match = match_sequence(own->second, tcp)) return match;
  }
  // NAT may have changed the ports: then the numbers tell, with the ports that its SYN was given as second
  // witness.
  for (const std::uint32_t number : {tcp.sequence, tcp.acknowledgment}) {
    if (const auto match = match_near(by_sequence_, number, tcp)) return match;
  }
  return tcp.rst && !tcp.ack ? match_near(by_peer_sequence_, tcp.sequence, tcp) : std::nullopt;
}

std::optional<Recognised> Observer::match_near(const BySequence& known, std::uint32_t number,
                                               const TcpHeader& tcp) const {
  const auto beyond = known.upper_bound(number);
  return beyond == known.begin() ? std::nullopt : match_sequence(std::prev(beyond)->second, tcp);
}

std::optional<Recognised> Observer::match_sequence(WatchId id, const TcpHeader& tcp) const {
  const Watch& watch = watches_[id];
  const auto& key = std::get<TcpKey>(watch.key);
  if (!watch.sequence_known) {
    // No tap has seen it, as where its own node dropped it: but nobody else sends from that port.
    const bool first = tcp.syn && !tcp.ack && tcp.source_port == key.source_port;
    return first ? std::optional(Recognised{id, Leg::forward}) : std::nullopt;
  }
  // Before any tap has seen its translated ports, as where it is dropped right after.
  if (tcp.syn && !tcp.ack && tcp.sequence == watch.initial_sequence) return Recognised{id, Leg::forward};
  const auto fits = [&](std::uint16_t near, std::uint16_t far) {
    if (near == key.source_port || far == key.port) return true;
    return std::ranges::any_of(watch.translated,
                               [&](const Ports& p) { return near == p.source && far == p.destination; });
  };
  if (fits(tcp.source_port, tcp.destination_port) &&
      tcp.sequence - watch.initial_sequence < kSequenceWindow) {
    return Recognised{id, Leg::forward};
  }
  if (fits(tcp.destination_port, tcp.source_port) && tcp.ack &&
      tcp.acknowledgment - watch.initial_sequence < kSequenceWindow) {
    return Recognised{id, Leg::reply};
  }
  // A reset of what was acknowledged already acknowledges nothing itself (RFC 9293, 3.10.7.1).
  const bool bare_reset = tcp.rst && !tcp.ack && watch.peer_sequence.has_value();
  if (bare_reset && fits(tcp.destination_port, tcp.source_port) &&
      tcp.sequence - *watch.peer_sequence < kSequenceWindow) {
    return Recognised{id, Leg::reply};
  }
  return std::nullopt;
}

void Observer::learn_header(WatchId watch, const Packet& packet, std::span<const std::uint8_t> frame) {
  auto key = fingerprint(plain_header(packet, frame), packet.ip->source);
  if (!key) return;
  const auto [known, is_new] = by_header_.emplace(std::move(*key), watch);
  if (!is_new && known->second != watch) known->second.reset();
}

/// An error goes to the source of what it quotes.
std::optional<Recognised> Observer::match_cut_quote(const Packet& packet,
                                                    std::span<const std::uint8_t> frame) const {
  constexpr std::size_t icmp_bytes = 8;
  if (frame.size() < packet.transport_offset + icmp_bytes) return std::nullopt;
  const auto key = fingerprint(frame.subspan(packet.transport_offset + icmp_bytes), packet.ip->destination);
  const auto found = key ? by_header_.find(*key) : by_header_.end();
  if (found == by_header_.end() || !found->second) return std::nullopt;
  return Recognised{*found->second, Leg::error};
}

std::optional<Recognised> Observer::match_quoted(const Packet& quoted,
                                                 std::span<const std::uint8_t> frame) const {
  if (!quoted.ip) return std::nullopt;
  std::optional<Recognised> match;
  if (const auto* tcp = std::get_if<TcpHeader>(&quoted.transport)) {
    match = match_tcp(*tcp);
  } else {
    match = match_payload(quoted, frame);
  }
  // RFC 792 promises only 8 bytes of the transport: the ports, or the echo id.
  const auto* udp = std::get_if<UdpHeader>(&quoted.transport);
  const auto* icmp = std::get_if<IcmpHeader>(&quoted.transport);
  if (!match && udp != nullptr) {
    if (const auto found = by_port_.find(kUdpBit | udp->source_port); found != by_port_.end())
      match = Recognised{found->second, Leg::error};
  } else if (!match && icmp != nullptr && icmp->is_echo_request()) {
    if (const auto found = by_echo_id_.find(icmp->echo_id); found != by_echo_id_.end())
      match = Recognised{found->second, Leg::error};
  }
  if (match) match->leg = Leg::error;
  return match;
}

}  // namespace plumbline::proof
