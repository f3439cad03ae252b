#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/proof/journey/journey.hpp"

namespace plumbline::proof {

/// What is known of the network that a probe crosses.
struct Terrain {
  std::vector<unsigned> distance;   ///< by tap: cables from the source
  const Cables* cables = nullptr;   ///< null: none is known
  const Cables* lowers = nullptr;   ///< of macvlans: what each lies on; null: none is known
  std::string source;               ///< the node that sends the probe; empty: not known
  std::optional<IpAddress> target;  ///< as its sender names it
  /// Addresses that a node's routes may hand packets to. Empty: not known.
  std::function<std::vector<IpAddress>(const std::string& node)> gateways;
};

/// Of ARP or neighbour discovery: who asks for whom, in the question and in the answer alike.
struct NeighbourQuestion {
  bool answer = false;
  IpAddress asker;
  std::optional<MacAddress> asker_mac;  ///< an advertisement does not tell
  IpAddress wanted;
};

/// Absent: no such packet, or one that asks and answers nobody (announcements, duplicate detection).
std::optional<NeighbourQuestion> neighbour_question(const traffic::Packet& packet);

/// The latest such packets that taps saw.
class NeighbourFrames {
 public:
  static constexpr std::size_t kMost = 8192;

  void add(const NeighbourQuestion& question, Sighting sighting);

  /// Those which a packet of the probe had to wait for in a node, with what else was seen of the same
  /// question and its answers (two answerers of one address both), as sightings of Leg::neighbour. A packet
  /// waits from its coming to a node, or its being sent (`sent_ns`), until it leaves; one that never leaves
  /// waits until now. What was asked for is an address of the packet there, or one of the node's gateways.
  std::vector<Sighting> waited_for(const std::vector<Sighting>& probe, std::uint64_t sent_ns,
                                   const Terrain& terrain) const;

 private:
  struct Kept {
    NeighbourQuestion question;
    Sighting sighting;
  };
  std::deque<Kept> frames_;
  friend class Waiting;
};

}  // namespace plumbline::proof
