#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/traffic/packet/packet.hpp"

namespace plumbline::proof {

/// Which part of the exchange a packet belongs to.
enum class Leg : std::uint8_t {
  forward,    ///< from the probe's source towards its target
  reply,      ///< from whoever answered
  error,      ///< an ICMP error that quotes the probe
  neighbour,  ///< ARP or neighbour discovery that one of them had to wait for
};

/// One packet of a probe at one tap.
struct Sighting {
  std::uint64_t time_ns = 0;   ///< kernel timestamp
  std::uint64_t sequence = 0;  ///< order in which its tap delivered it
  std::size_t tap = 0;
  std::string node;
  std::string interface;
  Leg leg = Leg::forward;
  traffic::Packet packet;
  std::vector<std::uint8_t> bytes;  ///< the frame, possibly cut to the snap length
  std::size_t original_length = 0;
  traffic::LinkType link_type = traffic::LinkType::linux_sll2;  ///< of `bytes`
  /// Another node sent it by an interface that lies on this one: it passes here, and comes from there.
  bool from_above = false;

  bool is(Leg wanted, std::string_view at_node, traffic::Direction direction) const {
    return leg == wanted && node == at_node && packet.direction == direction;
  }
};

/// An interface: node, name.
using Place = std::pair<std::string, std::string>;
/// Which two interfaces are the ends of one cable, by each of them.
using Cables = std::map<Place, Place>;

/// A probe's sightings in order, as far as they are known.
struct Journey {
  std::vector<Sighting> sightings;
  /// False when a tap lost frames: what is not here may still have happened.
  bool complete = true;

  /// The first sighting of `leg` at `node` in `direction`; null when there is none.
  const Sighting* first(Leg leg, std::string_view node, traffic::Direction direction) const;
  /// The first packet of the probe that left `node`.
  const Sighting* left(std::string_view node) const {
    return first(Leg::forward, node, traffic::Direction::out);
  }
  /// The first packet of the probe that came in at `node`.
  const Sighting* arrived(std::string_view node) const {
    return first(Leg::forward, node, traffic::Direction::in);
  }
  /// Any packet of the probe on its way at `node`, whichever direction; null when there is none. A bridge
  /// port sees frames for others as "other-host", and a loopback sees each packet once, coming in.
  const Sighting* passed(std::string_view node) const;
  /// Where answers began: the sightings of replies at nodes that had not seen them come in. One, unless
  /// somebody answers in another's name beside it.
  std::vector<const Sighting*> answers() const;
  /// The last forward sighting: how far the probe got.
  const Sighting* furthest() const;

  /// By kernel timestamp. Where some are equal, as the topology wants it: in one node as its tap delivered
  /// them (that is the order in which the kernel handled them), and a packet leaves one end of a cable before
  /// it comes in at the other. Where neither decides, by `distance` from the source on the way out, and the
  /// reverse on the way back. `distance` is indexed by tap.
  void sort(const std::vector<unsigned>& distance, const Cables& cables = {});
  /// Marks what leaves by an interface that another lies on, by which it has just been sent. `lowers`: of
  /// each that lies on another, which.
  void mark_from_above(const Cables& lowers);
};

}  // namespace plumbline::proof
