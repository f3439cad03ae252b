#include "harness/proof/journey/neighbours.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

namespace plumbline::proof {
namespace {

using traffic::Direction;

constexpr std::uint8_t kSolicitation = 135, kAdvertisement = 136;
constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();
/// A question without an answer is asked again after a second (retrans_time_ms), and stands until then.
constexpr std::uint64_t kStands = 1'200'000'000;
/// Answers and repetitions later than this belong to another question.
constexpr std::uint64_t kLongest = 10'000'000'000;

/// A packet of the probe in a node: from its coming in until it left, or what answers it.
struct Stay {
  std::uint64_t came = 0;
  std::uint64_t left = kForever;  ///< kForever: it never did
  std::set<std::string_view> by;  ///< interfaces

  bool ended() const { return left != kForever; }
};

/// One node's question, repeated until it was answered, at one interface.
struct Exchange {
  std::vector<std::uint64_t> asked;
  std::uint64_t answered = kForever;  ///< when the first answer came to the asker
  std::uint64_t end = kForever;       ///< when the same was asked anew

  /// Whether a packet that was there for `stay` waited for it.
  bool held_up(const Stay& stay) const {
    if (answered != kForever && answered > stay.came && answered <= stay.left) return true;
    return std::ranges::any_of(asked, [&](std::uint64_t time) {
      if (time >= stay.came && time <= stay.left) return true;
      return !stay.ended() && answered == kForever && time < stay.came && stay.came - time <= kStands;
    });
  }
};

/// What was asked where: node, interface, asker, wanted.
using AskedAt = std::tuple<std::string_view, std::string_view, IpAddress, IpAddress>;

std::vector<Stay> stays(const std::vector<Sighting>& probe, std::string_view node, bool is_source,
                        std::uint64_t sent_ns) {
  std::vector<Stay> found;
  std::optional<Stay> open;
  if (is_source) open = Stay{sent_ns, kForever, {}};
  bool came_last = false, answered = false, home = false, reply_came = false, error_came = false;
  for (const Sighting& sighting : probe) {
    if (sighting.node != node) continue;
    const bool out = sighting.packet.direction == Direction::out;
    // What the node's own kernel says of the packet is not the packet.
    const bool own_error = sighting.leg == Leg::error && (out ? !error_came : sighting.interface == "lo");
    if (own_error) continue;
    if (out) {
      came_last = false;
      answered = answered || (sighting.leg == Leg::reply && !reply_came);
      if (!open) continue;
      if (!open->ended()) open->left = sighting.time_ns;
      open->by.insert(sighting.interface);
      continue;
    }
    reply_came = reply_came || sighting.leg == Leg::reply;
    error_came = error_came || sighting.leg == Leg::error;
    if (std::exchange(came_last, true)) continue;
    if (open && open->ended()) found.push_back(*open);
    open = Stay{sighting.time_ns, kForever, {}};
    home = is_source && sighting.leg != Leg::forward;
  }
  // What came to where it was meant for waits for nothing more.
  const bool done = open && !open->ended() && (home || (came_last && answered));
  if (open && !done) found.push_back(*open);
  return found;
}

std::set<IpAddress> next_hops(const std::vector<Sighting>& probe, const std::string& node,
                              const Terrain& terrain) {
  std::set<IpAddress> addresses;
  for (const Sighting& sighting : probe) {
    if (sighting.node != node || !sighting.packet.ip) continue;
    addresses.insert(sighting.packet.ip->source);
    addresses.insert(sighting.packet.ip->destination);
  }
  if (node == terrain.source && terrain.target) addresses.insert(*terrain.target);
  if (!terrain.gateways || addresses.empty()) return addresses;
  const std::vector<IpAddress>& gateways = terrain.gateways(node);
  const IpFamily family = addresses.begin()->family();
  const bool any_like_it =
      std::ranges::any_of(gateways, [&](const IpAddress& g) { return g.family() == family; });
  for (const IpAddress& gateway : gateways) {
    // IPv4 may go by a router that is known by IPv6 alone.
    if (gateway.family() == family || !any_like_it) addresses.insert(gateway);
  }
  return addresses;
}

}  // namespace

std::optional<NeighbourQuestion> neighbour_question(const traffic::Packet& packet) {
  NeighbourQuestion question;
  if (const auto* arp = std::get_if<traffic::ArpHeader>(&packet.transport)) {
    question.answer = !arp->request;
    question.asker = arp->request ? arp->sender : arp->target;
    question.asker_mac = arp->request ? arp->sender_mac : arp->target_mac;
    question.wanted = arp->request ? arp->target : arp->sender;
  } else if (const auto* icmp = std::get_if<traffic::IcmpHeader>(&packet.transport)) {
    const bool known = icmp->type == kSolicitation || icmp->type == kAdvertisement;
    if (!icmp->v6 || !known || !icmp->target || !packet.ip) return std::nullopt;
    question.answer = icmp->type == kAdvertisement;
    question.asker = question.answer ? packet.ip->destination : packet.ip->source;
    if (!question.answer) question.asker_mac = packet.source_mac;
    question.wanted = *icmp->target;
  } else {
    return std::nullopt;
  }
  const bool of_nobody = question.asker.is_unspecified() || question.asker.is_multicast();
  if (of_nobody || question.asker == question.wanted) return std::nullopt;
  return question;
}

void NeighbourFrames::add(const NeighbourQuestion& question, Sighting sighting) {
  sighting.leg = Leg::neighbour;
  frames_.push_back({question, std::move(sighting)});
  if (frames_.size() > kMost) frames_.pop_front();
}

/// Which frames one probe had to wait for.
class Waiting {
 public:
  Waiting(const std::deque<NeighbourFrames::Kept>& frames, const std::vector<Sighting>& probe,
          std::uint64_t sent_ns, const Terrain& terrain)
      : probe_(probe), sent_ns_(sent_ns), terrain_(terrain) {
    std::set<std::string> nodes;
    for (const Sighting& sighting : probe) nodes.insert(sighting.node);
    if (!terrain.source.empty()) nodes.insert(terrain.source);
    for (const std::string& node : nodes) hops_.emplace(node, next_hops(probe, node, terrain));
    const std::uint64_t start = first_moment();
    for (const NeighbourFrames::Kept& frame : frames) {
      if (frame.sighting.time_ns + kLongest < start || !is_wanted(frame.question.wanted)) continue;
      frames_.push_back(&frame);
    }
    std::ranges::stable_sort(frames_, {}, [](const auto* frame) { return frame->sighting.time_ns; });
  }

  std::vector<Sighting> sightings() {
    if (frames_.empty()) return {};
    find_exchanges();
    for (const auto& [node, addresses] : hops_) {
      const auto there = stays(probe_, node, node == terrain_.source, sent_ns_);
      for (const auto& [at, exchanges] : exchanges_) {
        if (std::get<0>(at) != node || !addresses.contains(std::get<3>(at))) continue;
        for (const Exchange& exchange : exchanges) choose(at, exchange, there);
      }
    }
    std::vector<Sighting> found;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      if (chosen_.contains(i)) found.push_back(frames_[i]->sighting);
    }
    return found;
  }

 private:
  std::uint64_t first_moment() const {
    std::uint64_t first = terrain_.source.empty() ? kForever : sent_ns_;
    for (const Sighting& sighting : probe_) first = std::min(first, sighting.time_ns);
    return first;
  }

  bool is_wanted(const IpAddress& address) const {
    return std::ranges::any_of(hops_, [&](const auto& hops) { return hops.second.contains(address); });
  }

  void find_exchanges() {
    for (const NeighbourFrames::Kept* frame : frames_) {
      const NeighbourQuestion& question = frame->question;
      const Sighting& seen = frame->sighting;
      if (!question.answer && seen.packet.direction == Direction::out) {
        ask(exchanges_[{seen.node, seen.interface, question.asker, question.wanted}], seen.time_ns);
      } else if (question.answer && seen.packet.direction != Direction::out) {
        answer(seen.node, question, seen.time_ns);
      }
    }
  }

  static void ask(std::vector<Exchange>& exchanges, std::uint64_t time) {
    const bool again = !exchanges.empty() && exchanges.back().answered == kForever &&
                       time - exchanges.back().asked.back() <= kStands;
    if (!again) {
      if (!exchanges.empty()) exchanges.back().end = time;
      exchanges.emplace_back();
    }
    exchanges.back().asked.push_back(time);
  }

  void answer(std::string_view node, const NeighbourQuestion& question, std::uint64_t time) {
    for (auto& [at, exchanges] : exchanges_) {
      const bool same =
          std::get<0>(at) == node && std::get<2>(at) == question.asker && std::get<3>(at) == question.wanted;
      if (!same || exchanges.empty() || exchanges.back().answered != kForever) continue;
      if (time - exchanges.back().asked.back() <= kLongest) exchanges.back().answered = time;
    }
  }

  void choose(const AskedAt& at, const Exchange& exchange, const std::vector<Stay>& there) {
    for (const Stay& stay : there) {
      // It left by another interface: then it did not wait for this one.
      if (stay.ended() && !stay.by.contains(std::get<1>(at))) continue;
      if (exchange.held_up(stay)) choose_all(at, exchange, stay);
    }
  }

  /// What was seen of the exchange, wherever.
  void choose_all(const AskedAt& at, const Exchange& exchange, const Stay& stay) {
    const auto& [node, interface, asker, wanted] = at;
    const auto mac = asker_mac(at);
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      const NeighbourQuestion& question = frames_[i]->question;
      const Sighting& seen = frames_[i]->sighting;
      if (question.asker != asker || question.wanted != wanted) continue;
      if (mac && question.asker_mac && *mac != *question.asker_mac) continue;
      if (seen.time_ns < exchange.asked.front() || seen.time_ns >= exchange.end) continue;
      if (seen.time_ns - exchange.asked.back() > kLongest && seen.time_ns > exchange.asked.back()) continue;
      const bool copy = !question.answer && seen.node == node && seen.packet.direction == Direction::out &&
                        seen.interface != interface && !stay.by.contains(seen.interface);
      if (!copy) chosen_.insert(i);
    }
  }

  std::optional<MacAddress> asker_mac(const AskedAt& at) const {
    for (const NeighbourFrames::Kept* frame : frames_) {
      const bool own = !frame->question.answer && frame->sighting.packet.direction == Direction::out &&
                       frame->sighting.node == std::get<0>(at) &&
                       frame->sighting.interface == std::get<1>(at) &&
                       frame->question.asker == std::get<2>(at);
      if (own) return frame->question.asker_mac;
    }
    return std::nullopt;
  }

  const std::vector<Sighting>& probe_;
  std::uint64_t sent_ns_;
  const Terrain& terrain_;
  std::map<std::string, std::set<IpAddress>> hops_;  ///< by node: what it may have to ask for
  std::vector<const NeighbourFrames::Kept*> frames_;
  std::map<AskedAt, std::vector<Exchange>> exchanges_;
  std::set<std::size_t> chosen_;
};

std::vector<Sighting> NeighbourFrames::waited_for(const std::vector<Sighting>& probe, std::uint64_t sent_ns,
                                                  const Terrain& terrain) const {
  if (frames_.empty()) return {};
  return Waiting(frames_, probe, sent_ns, terrain).sightings();
}

}  // namespace plumbline::proof
