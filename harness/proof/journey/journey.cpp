#include "harness/proof/journey/journey.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

namespace plumbline::proof {

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
    const bool from_here = sighting.packet.direction == traffic::Direction::out || sighting.interface == "lo";
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

void Journey::sort(const std::vector<unsigned>& distance) {
  const auto key = [&](const Sighting& s) {
    const unsigned hops = s.tap < distance.size() ? distance[s.tap] : 0;
    const long long along =
        s.leg == Leg::forward ? static_cast<long long>(hops) : -static_cast<long long>(hops);
    return std::tuple(s.time_ns, along, s.tap, s.sequence);
  };
  std::ranges::sort(sightings, [&](const Sighting& a, const Sighting& b) { return key(a) < key(b); });
}

}  // namespace plumbline::proof
