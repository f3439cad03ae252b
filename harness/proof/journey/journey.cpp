#include "harness/proof/journey/journey.hpp"

#include <algorithm>
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

const Sighting* Journey::answer() const {
  const auto found = std::ranges::find(sightings, Leg::reply, &Sighting::leg);
  return found == sightings.end() ? nullptr : &*found;
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
