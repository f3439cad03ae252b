#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "harness/proof/journey/journey.hpp"
#include "harness/proof/journey/neighbours.hpp"

namespace plumbline::proof {

/// How a probe's packets are told from all others, also behind NAT.

/// ICMP echo and UDP: the first 8 bytes of the payload. Ports serve to tell the legs apart.
struct NonceKey {
  std::uint64_t nonce = 0;
  std::uint16_t source_port = 0;  ///< for ping: the echo id
  std::uint16_t port = 0;
};
/// TCP: the initial sequence number, which NAT leaves alone. Where the kernel chose it, it is learned from
/// the first SYN from the source port, which no other probe uses; another's may be translated to it.
struct TcpKey {
  std::uint16_t source_port = 0;
  std::uint16_t port = 0;
  IpAddress to;
  std::optional<std::uint32_t> initial_sequence = std::nullopt;
};
/// DNS over UDP: the query's id and its name in exactly these letters (dns0x20).
struct DnsKey {
  std::uint16_t id = 0;
  std::string name;
  std::uint16_t source_port = 0;
  std::uint16_t port = 53;
};
using Key = std::variant<NonceKey, TcpKey, DnsKey>;

using WatchId = std::size_t;

/// Whose packet it is, and on which part of its exchange.
struct Recognised {
  WatchId watch = 0;
  Leg leg = Leg::forward;
};

/// Sorts the frames that taps see by the probe that they belong to. Pure: frames come in by `see`.
class Observer {
 public:
  /// What follows about this probe is kept. Call it before the probe's first packet is read from a tap.
  /// `sent_ns`: that its packet is not sent before, on the clock of the taps.
  WatchId watch(Key key, std::uint64_t sent_ns = 0);

  /// One frame, and whose it is. Frames of no watched probe are passed over. Never throws for malformed ones.
  std::optional<WatchId> see(std::size_t tap, const std::string& node, const std::string& interface,
                             std::uint64_t time_ns, std::span<const std::uint8_t> frame,
                             std::size_t original_length, traffic::LinkType link_type);

  /// Whose packet this is, by what has been seen until now. Nothing is learned from it, and it may be cut
  /// right behind the nonce, or 12 bytes into what an error quotes, as in the kernel's own reports. Absent:
  /// no watched probe's.
  std::optional<Recognised> recognise(const traffic::Packet& packet,
                                      std::span<const std::uint8_t> frame) const;

  /// What has been seen of it until now, in order, with the ARP and neighbour discovery that it had to wait
  /// for.
  Journey journey(WatchId watch, const Terrain& terrain) const;

  std::uint64_t frames() const noexcept { return frames_; }

 private:
  struct Ports {
    std::uint16_t source = 0;
    std::uint16_t destination = 0;
  };
  struct Watch {
    Key key;
    std::uint64_t sent_ns = 0;
    bool sequence_known = false;
    std::uint32_t initial_sequence = 0;
    std::optional<std::uint32_t> peer_sequence;  ///< the answerer's initial one
    std::vector<Ports>
        translated;  ///< as NAT made them: seen on a SYN with our sequence number, or with our nonce
    std::vector<Sighting> sightings;
  };
  /// What a packet teaches about the probes' ports and numbers, before it is recognised and after.
  void learn(const traffic::Packet& packet);
  void learn(const traffic::TcpHeader& tcp);
  void know_sequence(WatchId id, std::uint32_t sequence);
  void learn(const Recognised& match, const traffic::Packet& packet);

  std::optional<Recognised> match_payload(const traffic::Packet& packet,
                                          std::span<const std::uint8_t> frame) const;
  std::optional<Recognised> match_dns(const traffic::Packet& packet,
                                      std::span<const std::uint8_t> payload) const;
  std::optional<Recognised> match_other_name(const traffic::DnsQuestion& question,
                                             const traffic::UdpHeader& udp) const;
  std::optional<Recognised> match_cut_dns(const traffic::UdpHeader& udp,
                                          std::span<const std::uint8_t> payload) const;
  std::optional<Recognised> match_tcp(const traffic::TcpHeader& tcp) const;
  using BySequence = std::map<std::uint32_t, WatchId>;
  std::optional<Recognised> match_near(const BySequence& known, std::uint32_t number,
                                       const traffic::TcpHeader& tcp) const;
  std::optional<Recognised> match_sequence(WatchId id, const traffic::TcpHeader& tcp) const;
  static std::optional<Leg> known_leg(const Watch& watch, const traffic::UdpHeader& udp);
  std::optional<Recognised> match_quoted(const traffic::Packet& quoted,
                                         std::span<const std::uint8_t> frame) const;
  std::optional<Recognised> match_cut_quote(const traffic::Packet& packet,
                                            std::span<const std::uint8_t> frame) const;
  void learn_header(WatchId watch, const traffic::Packet& packet, std::span<const std::uint8_t> frame);

  std::vector<Watch> watches_;
  std::unordered_map<std::uint64_t, WatchId> by_nonce_;
  std::unordered_map<std::string, WatchId> by_question_;
  std::unordered_multimap<std::uint16_t, WatchId> by_question_id_;
  std::unordered_map<std::uint32_t, WatchId> by_port_;  ///< TCP source port, and UDP's with bit 16 set
  std::unordered_map<std::uint16_t, WatchId> by_echo_id_;
  std::map<std::uint32_t, WatchId> by_sequence_;
  std::map<std::uint32_t, WatchId> by_peer_sequence_;
  /// By what errors about a packet quote of its IP header at least; absent: of several probes.
  std::unordered_map<std::string, std::optional<WatchId>> by_header_;
  NeighbourFrames neighbours_;
  std::uint64_t frames_ = 0;
};

}  // namespace plumbline::proof
