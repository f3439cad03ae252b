#include "harness/proof/journey/journey.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

namespace plumbline::proof {
namespace {

using traffic::Direction;

/// Equal at both ends of a cable for one packet, and for no other of the probe: of each leg those of TCP have
/// their numbers, and one that goes in circles its TTL.
auto identity(const Sighting& sighting) {
  const traffic::Packet& packet = sighting.packet;
  const int ttl = packet.ip ? packet.ip->ttl : 0;
  std::tuple<Leg, int, std::uint32_t, std::uint32_t, std::uint32_t> of{sighting.leg, ttl, 0, 0, 0};
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&packet.transport)) {
    const std::uint32_t flags = (tcp->syn ? 1U : 0U) | (tcp->fin ? 2U : 0U) | (tcp->rst ? 4U : 0U);
    of = {sighting.leg, ttl, tcp->sequence, tcp->acknowledgment, flags};
  } else if (const auto* arp = std::get_if<traffic::ArpHeader>(&packet.transport)) {
    std::get<2>(of) = arp->request ? 1 : 2;
  } else if (const auto* icmp = std::get_if<traffic::IcmpHeader>(&packet.transport)) {
    std::get<2>(of) = icmp->type;
  }
  return of;
}

/// Sightings of one moment, by tap, then as it delivered them.
class Tied {
 public:
  Tied(std::span<Sighting> sightings, const std::vector<unsigned>& distance, const Cables& cables)
      : sightings_(sightings), distance_(distance), cables_(cables), items_(sightings.size()) {
    follow_taps();
    follow_cables();
  }

  void put_in_order() {
    std::vector<Sighting> ordered;
    ordered.reserve(items_.size());
    while (ordered.size() < items_.size()) {
      const std::size_t next = take_next();
      items_[next].taken = true;
      for (const std::size_t later : items_[next].before) --items_[later].waits_for;
      ordered.push_back(std::move(sightings_[next]));
    }
    std::ranges::move(ordered, sightings_.begin());
  }

 private:
  struct Item {
    std::vector<std::size_t> before;  ///< which it must come before
    std::size_t waits_for = 0;        ///< how many must come before it
    std::size_t round = 0;            ///< how often its tap has seen the leg change until then
    bool taken = false;
  };

  void put_before(std::size_t earlier, std::size_t later) {
    items_[earlier].before.push_back(later);
    ++items_[later].waits_for;
  }

  void follow_taps() {
    for (std::size_t i = 1; i < items_.size(); ++i) {
      if (sightings_[i].tap != sightings_[i - 1].tap) continue;
      put_before(i - 1, i);
      items_[i].round = items_[i - 1].round + (sightings_[i].leg == sightings_[i - 1].leg ? 0 : 1);
    }
  }

  /// The n-th packet out of one end is the n-th into the other.
  void follow_cables() {
    if (cables_.empty()) return;
    std::vector<bool> matched(items_.size(), false);
    for (std::size_t from = 0; from < items_.size(); ++from) {
      const Sighting& out = sightings_[from];
      if (out.packet.direction != Direction::out) continue;
      const auto end = cables_.find({out.node, out.interface});
      if (end == cables_.end()) continue;
      for (std::size_t to = 0; to < items_.size(); ++to) {
        const Sighting& in = sightings_[to];
        if (matched[to] || in.packet.direction == Direction::out || identity(in) != identity(out)) continue;
        if (in.node != end->second.first || in.interface != end->second.second) continue;
        matched[to] = true;
        put_before(from, to);
        break;
      }
    }
  }

  /// Of those that wait for nothing; of all where each waits for another, as no real packets do.
  std::size_t take_next() const {
    std::size_t best = items_.size();
    for (const bool only_ready : {true, false}) {
      for (std::size_t i = 0; i < items_.size(); ++i) {
        if (items_[i].taken || (only_ready && items_[i].waits_for != 0)) continue;
        if (best == items_.size() || rank(i) < rank(best)) best = i;
      }
      if (best != items_.size()) break;
    }
    return best;
  }

  std::tuple<std::size_t, Leg, long long, std::size_t, std::uint64_t> rank(std::size_t index) const {
    const Sighting& s = sightings_[index];
    const long long hops = s.tap < distance_.size() ? static_cast<long long>(distance_[s.tap]) : 0;
    long long along = s.leg == Leg::forward ? hops : -hops;
    if (s.leg == Leg::neighbour) along = s.packet.direction == Direction::out ? 0 : 1;
    return {items_[index].round, s.leg, along, s.tap, s.sequence};
  }

  std::span<Sighting> sightings_;
  const std::vector<unsigned>& distance_;
  const Cables& cables_;
  std::vector<Item> items_;
};

}  // namespace

const Sighting* Journey::first(Leg leg, std::string_view node, traffic::Direction direction) const {
  const auto found =
      std::ranges::find_if(sightings, [&](const Sighting& s) { return s.is(leg, node, direction); });
  return found == sightings.end() ? nullptr : &*found;
}

const Sighting* Journey::passed(std::string_view node) const {
  const auto found = std::ranges::find_if(
      sightings, [&](const Sighting& s) { return s.leg == Leg::forward && s.node == node; });
  return found == sightings.end() ? nullptr : &*found;
}

std::vector<const Sighting*> Journey::answers() const {
  std::set<std::string_view> seen;
  std::vector<const Sighting*> began;
  for (const Sighting& sighting : sightings) {
    if (sighting.leg != Leg::reply || !seen.insert(sighting.node).second) continue;
    // On a loopback a packet is seen once, coming in.
    const bool sent = sighting.packet.direction == traffic::Direction::out && !sighting.from_above;
    const bool from_here = sent || sighting.interface == "lo";
    if (from_here || began.empty()) began.push_back(&sighting);
  }
  return began;
}

const Sighting* Journey::furthest() const {
  const Sighting* last = nullptr;
  for (const Sighting& sighting : sightings) {
    if (sighting.leg == Leg::forward) last = &sighting;
  }
  return last;
}

void Journey::mark_from_above(const Cables& lowers) {
  for (auto sent = sightings.begin(); sent != sightings.end(); ++sent) {
    if (sent->packet.direction != Direction::out) continue;
    const auto lower = lowers.find({sent->node, sent->interface});
    if (lower == lowers.end()) continue;
    const auto passes = std::find_if(std::next(sent), sightings.end(), [&](const Sighting& s) {
      return s.packet.direction == Direction::out && !s.from_above && s.node == lower->second.first &&
             s.interface == lower->second.second && identity(s) == identity(*sent);
    });
    if (passes != sightings.end()) passes->from_above = true;
  }
}

void Journey::sort(const std::vector<unsigned>& distance, const Cables& cables) {
  const auto same_tap_first = [](const Sighting& s) { return std::tuple(s.time_ns, s.tap, s.sequence); };
  std::ranges::sort(sightings, {}, same_tap_first);
  for (auto first = sightings.begin(); first != sightings.end();) {
    const auto last = std::find_if(first, sightings.end(),
                                   [time = first->time_ns](const Sighting& s) { return s.time_ns != time; });
    if (last - first > 1) Tied({first, last}, distance, cables).put_in_order();
    first = last;
  }
}

}  // namespace plumbline::proof
