#include "harness/proof/journey/journey.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::proof {
namespace {

Sighting at(std::uint64_t time_ns, std::size_t tap, std::uint64_t sequence, Leg leg, std::string node,
            traffic::Direction direction) {
  Sighting sighting;
  sighting.time_ns = time_ns;
  sighting.tap = tap;
  sighting.sequence = sequence;
  sighting.leg = leg;
  sighting.node = std::move(node);
  sighting.packet.direction = direction;
  return sighting;
}

std::vector<std::string> nodes(const Journey& journey) {
  std::vector<std::string> names;
  for (const Sighting& s : journey.sightings) names.push_back(s.node + "#" + std::to_string(s.sequence));
  return names;
}

using traffic::Direction;

TEST(Journey, IsOrderedByKernelTime) {
  Journey journey;
  journey.sightings = {at(30, 2, 0, Leg::forward, "c", Direction::in),
                       at(10, 0, 0, Leg::forward, "a", Direction::out),
                       at(20, 1, 0, Leg::forward, "b", Direction::in)};
  journey.sort({0, 1, 2});
  EXPECT_THAT(nodes(journey), testing::ElementsAre("a#0", "b#0", "c#0"));
}

TEST(Journey, BreaksTiesByTopologyOutwardsAndBack) {
  Journey journey;
  journey.sightings = {
      at(10, 1, 0, Leg::forward, "b", Direction::in), at(10, 0, 0, Leg::forward, "a", Direction::out),
      at(20, 0, 1, Leg::reply, "a", Direction::in), at(20, 1, 1, Leg::reply, "b", Direction::out)};
  journey.sort({0, 1});
  EXPECT_THAT(nodes(journey), testing::ElementsAre("a#0", "b#0", "b#1", "a#1"));
}

TEST(Journey, BreaksTiesInOneNodeAsItsTapDelivered) {
  Journey journey;
  journey.sightings = {at(10, 1, 5, Leg::forward, "b", Direction::in),
                       at(10, 1, 4, Leg::forward, "b", Direction::in)};
  journey.sort({0, 1});
  EXPECT_THAT(nodes(journey), testing::ElementsAre("b#4", "b#5"));
}

TEST(Journey, TellsWhereAnswersBegan) {
  Journey journey;
  journey.sightings = {
      at(10, 0, 0, Leg::forward, "a", Direction::out),      at(20, 2, 0, Leg::reply, "c", Direction::out),
      at(30, 1, 0, Leg::reply, "b", Direction::in),         at(31, 1, 1, Leg::reply, "b", Direction::out),
      at(40, 3, 0, Leg::reply, "impostor", Direction::out), at(50, 0, 1, Leg::reply, "a", Direction::in)};
  std::vector<std::string> nodes;
  for (const Sighting* answer : journey.answers()) nodes.push_back(answer->node);
  EXPECT_THAT(nodes, testing::ElementsAre("c", "impostor"));
}

TEST(Journey, AnAnswerPassesTheInterfaceThatItsSendersOneLiesOn) {
  Journey journey;
  journey.sightings = {at(20, 2, 0, Leg::reply, "one", Direction::out),
                       at(21, 1, 0, Leg::reply, "host", Direction::out),
                       at(22, 3, 0, Leg::reply, "impostor", Direction::out)};
  for (Sighting& sighting : journey.sightings) sighting.interface = sighting.node + "0";
  journey.mark_from_above({{{"one", "one0"}, {"host", "host0"}}});
  std::vector<std::string> nodes;
  for (const Sighting* answer : journey.answers()) nodes.push_back(answer->node);
  EXPECT_THAT(nodes, testing::ElementsAre("one", "impostor"));
}

TEST(Journey, KnowsHowFarTheProbeGot) {
  Journey journey;
  EXPECT_EQ(journey.furthest(), nullptr);
  journey.sightings = {at(10, 0, 0, Leg::forward, "a", Direction::out),
                       at(20, 1, 0, Leg::forward, "b", Direction::in),
                       at(30, 0, 1, Leg::error, "a", Direction::in)};
  EXPECT_EQ(journey.furthest()->node, "b");
  EXPECT_EQ(journey.left("a")->time_ns, 10U);
  EXPECT_EQ(journey.arrived("a"), nullptr);
  EXPECT_EQ(journey.arrived("b")->time_ns, 20U);
}

}  // namespace
}  // namespace plumbline::proof
