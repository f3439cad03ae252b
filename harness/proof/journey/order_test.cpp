// Whatever timestamps tie, the order never contradicts the topology.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "harness/proof/journey/journey.hpp"

namespace plumbline::proof {
namespace {

using traffic::Direction;
using Random = std::mt19937;

/// Routers, with cables that make a tree.
struct Net {
  Cables cables;
  std::vector<std::vector<std::size_t>> next;  ///< by node: whom it has a cable to

  explicit Net(Random& random) {
    const std::size_t nodes = 2 + random() % 7;
    next.resize(nodes);
    for (std::size_t node = 1; node < nodes; ++node) connect(random() % node, node);
  }
  static std::string name(std::size_t node) { return fmt::format("n{}", node); }
  static std::string interface(std::size_t towards) { return fmt::format("to{}", towards); }

 private:
  void connect(std::size_t a, std::size_t b) {
    next[a].push_back(b);
    next[b].push_back(a);
    cables[{name(a), interface(b)}] = {name(b), interface(a)};
    cables[{name(b), interface(a)}] = {name(a), interface(b)};
  }
};

std::vector<unsigned> distances(const Net& net, std::size_t source) {
  std::vector<unsigned> found(net.next.size(), 99);
  std::vector<std::size_t> open{source};
  found[source] = 0;
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (const std::size_t neighbour : net.next[open[i]]) {
      if (found[neighbour] != 99) continue;
      found[neighbour] = found[open[i]] + 1;
      open.push_back(neighbour);
    }
  }
  return found;
}

/// What really happened, as all taps together saw it.
class History {
 public:
  explicit History(Random& random) : random_(random) {}

  void cross(std::size_t from, std::size_t to, Leg leg, std::uint32_t number) {
    see(from, to, Direction::out, leg, number);
    see(to, from, random_() % 4 == 0 ? Direction::other_host : Direction::in, leg, number);
  }
  std::vector<Sighting> seen;

 private:
  void see(std::size_t at, std::size_t cable, Direction direction, Leg leg, std::uint32_t number) {
    if (direction == Direction::out) --ttl_;
    if (random_() % 3 == 0) now_ += random_() % 3;
    Sighting sighting;
    sighting.time_ns = now_;
    sighting.sequence = seen.size();
    sighting.tap = at;
    sighting.node = Net::name(at);
    sighting.interface = Net::interface(cable);
    sighting.leg = leg;
    sighting.packet.direction = direction;
    traffic::TcpHeader tcp;
    tcp.sequence = number;
    sighting.packet.ip.emplace();
    sighting.packet.ip->ttl = ttl_;
    sighting.packet.transport = tcp;
    seen.push_back(std::move(sighting));
  }

  Random& random_;
  std::uint64_t now_ = 1000;
  std::uint8_t ttl_ = 255;
};

/// A walk out and back, several packets, with turns (hairpins) on the way.
History a_history(const Net& net, Random& random) {
  History history(random);
  std::vector<std::size_t> way{0};
  const std::size_t steps = 1 + random() % 6;
  for (std::size_t i = 0; i < steps; ++i) {
    const auto& choices = net.next[way.back()];
    way.push_back(choices[random() % choices.size()]);
  }
  const std::size_t packets = 1 + random() % 4;
  for (std::uint32_t packet = 0; packet < packets; ++packet) {
    for (std::size_t i = 1; i < way.size(); ++i) {
      if (packet % 2 == 0)
        history.cross(way[i - 1], way[i], Leg::forward, packet);
      else
        history.cross(way[way.size() - i], way[way.size() - i - 1], Leg::reply, packet);
    }
  }
  return history;
}

std::vector<std::uint64_t> order_of(const std::vector<Sighting>& sightings) {
  std::vector<std::uint64_t> order;
  for (const Sighting& sighting : sightings) order.push_back(sighting.sequence);
  return order;
}

/// What taps deliver is in order at each tap, and mixed between them.
void number_by_tap(std::vector<Sighting>& seen, Random& random) {
  std::vector<std::size_t> taps;
  for (const Sighting& sighting : seen) taps.push_back(sighting.tap);
  std::ranges::shuffle(taps, random);
  std::map<std::size_t, std::vector<std::uint64_t>> numbers;
  for (std::size_t i = 0; i < taps.size(); ++i) numbers[taps[i]].push_back(i);
  std::map<std::size_t, std::size_t> used;
  for (Sighting& sighting : seen) sighting.sequence = numbers[sighting.tap][used[sighting.tap]++];
}

TEST(JourneyOrder, IsWhatHappenedWhereverEveryInterfaceIsSeen) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const Net net(random);
    History history = a_history(net, random);
    number_by_tap(history.seen, random);
    const auto truth = order_of(history.seen);
    Journey journey;
    journey.sightings = history.seen;
    std::ranges::shuffle(journey.sightings, random);
    journey.sort(distances(net, 0), net.cables);
    ASSERT_EQ(order_of(journey.sightings), truth) << "seed " << seed;
  }
}

TEST(JourneyOrder, NeverContradictsTapsOrCablesWhereSomeSightingsAreMissing) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const Net net(random);
    History history = a_history(net, random);
    number_by_tap(history.seen, random);
    std::erase_if(history.seen, [&](const Sighting&) { return random() % 4 == 0; });
    Journey journey;
    journey.sightings = history.seen;
    std::ranges::shuffle(journey.sightings, random);
    journey.sort(distances(net, 0), net.cables);
    ASSERT_EQ(journey.sightings.size(), history.seen.size());
    std::map<std::size_t, std::uint64_t> last;
    for (const Sighting& sighting : journey.sightings) {
      const auto [at, first] = last.try_emplace(sighting.tap, sighting.sequence);
      ASSERT_TRUE(first || at->second < sighting.sequence) << "seed " << seed;
      at->second = sighting.sequence;
    }
    std::set<std::tuple<Place, int>> came;
    for (const Sighting& sighting : journey.sightings) {
      const Place here{sighting.node, sighting.interface};
      const int ttl = sighting.packet.ip->ttl;
      if (sighting.packet.direction != Direction::out)
        came.emplace(here, ttl);
      else
        ASSERT_FALSE(came.contains({net.cables.at(here), ttl})) << "seed " << seed;
    }
    for (std::size_t i = 1; i < journey.sightings.size(); ++i) {
      ASSERT_LE(journey.sightings[i - 1].time_ns, journey.sightings[i].time_ns) << "seed " << seed;
    }
  }
}

/// All at one moment, and a cable that nothing is known of: the distance decides.
TEST(JourneyOrder, FollowsTheDistanceWhereNoCableIsKnown) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Random random(seed);
    Journey journey;
    std::vector<unsigned> distance;
    const std::size_t nodes = 2 + random() % 6;
    std::vector<std::size_t> taps(nodes);
    for (std::size_t i = 0; i < nodes; ++i) taps[i] = i;
    std::ranges::shuffle(taps, random);
    distance.resize(nodes);
    for (std::size_t hop = 0; hop < nodes; ++hop) distance[taps[hop]] = static_cast<unsigned>(hop);
    std::vector<std::string> truth;
    for (const Leg leg : {Leg::forward, Leg::reply}) {
      for (std::size_t i = 0; i < nodes; ++i) {
        const std::size_t hop = leg == Leg::forward ? i : nodes - 1 - i;
        Sighting sighting;
        sighting.time_ns = 7;
        sighting.tap = taps[hop];
        sighting.sequence = leg == Leg::forward ? 0 : 1;
        sighting.node = fmt::format("{}{}", leg == Leg::forward ? "out" : "back", hop);
        sighting.leg = leg;
        sighting.packet.direction = Direction::in;
        truth.push_back(sighting.node);
        journey.sightings.push_back(sighting);
      }
    }
    std::ranges::shuffle(journey.sightings, random);
    journey.sort(distance);
    std::vector<std::string> order;
    for (const Sighting& sighting : journey.sightings) order.push_back(sighting.node);
    ASSERT_EQ(order, truth) << "seed " << seed;
  }
}

/// Orders that no real packets could have had end in some order, all the same.
TEST(JourneyOrder, EndsForSightingsThatContradictEachOther) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Random random(seed);
    const Net net(random);
    History history = a_history(net, random);
    Journey journey;
    journey.sightings = history.seen;
    for (Sighting& sighting : journey.sightings) {
      sighting.time_ns = 1;
      sighting.sequence = random() % 5;
    }
    journey.sort({}, net.cables);
    EXPECT_EQ(journey.sightings.size(), history.seen.size());
  }
}

}  // namespace
}  // namespace plumbline::proof
