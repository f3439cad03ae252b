#include "harness/proof/journey/notes.hpp"

#include <gtest/gtest.h>

namespace plumbline::proof {
namespace {

using traffic::Checksum;
using traffic::Direction;

Sighting seen(Leg leg, const char* node, Direction direction, const char* from, const char* to,
              std::uint16_t from_port = 40001, std::uint16_t to_port = 80) {
  Sighting sighting;
  sighting.leg = leg;
  sighting.node = node;
  sighting.interface = "eth0";
  sighting.packet.direction = direction;
  sighting.packet.ip.emplace();
  sighting.packet.ip->source = *IpAddress::parse(from);
  sighting.packet.ip->destination = *IpAddress::parse(to);
  sighting.packet.ip->total_length = 60;
  traffic::TcpHeader tcp;
  tcp.source_port = from_port;
  tcp.destination_port = to_port;
  sighting.packet.transport = tcp;
  return sighting;
}

Sighting plain() {
  return seen(Leg::forward, "a", Direction::out, "10.0.0.1", "10.0.0.2");
}

TEST(OffloadNote, SaysWhatWasLeftToADevice) {
  Sighting sighting = plain();
  EXPECT_EQ(offload_note(sighting, 1500), "");
  sighting.packet.checksum = Checksum::good;
  EXPECT_EQ(offload_note(sighting, 1500), "");
  sighting.packet.checksum = Checksum::partial;
  EXPECT_EQ(offload_note(sighting, 1500), "checksum left to the device");
  sighting.packet.ip->total_length = 1501;
  EXPECT_EQ(offload_note(sighting, 1500), "checksum left to the device; segments joined (offload)");
  EXPECT_EQ(offload_note(sighting, 0), "checksum left to the device");
  sighting.packet.checksum = Checksum::bad;
  EXPECT_EQ(offload_note(sighting, 9000), "bad checksum");
}

TEST(OffloadNote, TakesTheFramesLengthWhereThePacketHasNone) {
  Sighting sighting = plain();
  sighting.packet.ip->total_length = 0;
  sighting.original_length = 1521;
  EXPECT_EQ(offload_note(sighting, 1500), "segments joined (offload)");
  sighting.original_length = 1520;
  EXPECT_EQ(offload_note(sighting, 1500), "");
}

TEST(OffloadNote, NoDeviceJoinsEchoes) {
  Sighting sighting = plain();
  sighting.packet.transport = traffic::IcmpHeader{};
  sighting.packet.ip->total_length = 9000;
  EXPECT_EQ(offload_note(sighting, 1500), "");
  EXPECT_EQ(offload_note(Sighting{}, 1500), "");
}

TEST(TranslatedAt, ComparesWithWhatTheLegsSenderMade) {
  Journey journey;
  journey.sightings = {
      seen(Leg::forward, "one", Direction::out, "10.0.0.1", "10.0.0.9", 40001, 8080),
      seen(Leg::forward, "host", Direction::in, "10.0.0.1", "10.0.0.9", 40001, 8080),
      seen(Leg::forward, "host", Direction::out, "10.0.0.9", "10.0.0.2", 40001, 80),
      seen(Leg::reply, "two", Direction::out, "10.0.0.2", "10.0.0.9", 80, 40001),
      seen(Leg::reply, "host", Direction::in, "10.0.0.2", "10.0.0.9", 80, 40001),
      seen(Leg::reply, "host", Direction::out, "10.0.0.9", "10.0.0.1", 8080, 40001),
  };
  EXPECT_EQ(translated_at(journey, 0), (Translated{false, false}));
  EXPECT_EQ(translated_at(journey, 1), (Translated{false, false}));
  EXPECT_EQ(translated_at(journey, 2), (Translated{true, true}));
  EXPECT_EQ(translated_at(journey, 3), (Translated{false, false}));
  EXPECT_EQ(translated_at(journey, 4), (Translated{false, false}));
  EXPECT_EQ(translated_at(journey, 5), (Translated{true, true}));
  EXPECT_EQ(translated_at(journey, 6), Translated{});
}

TEST(TranslatedAt, CountsAPortAlone) {
  Journey journey;
  journey.sightings = {seen(Leg::forward, "one", Direction::out, "10.0.0.1", "10.0.0.9"),
                       seen(Leg::forward, "host", Direction::out, "10.0.0.1", "10.0.0.9", 1024)};
  EXPECT_EQ(translated_at(journey, 1), (Translated{true, false}));
}

TEST(TranslatedAt, ASecondAnswererIsNoTranslation) {
  Journey journey;
  journey.sightings = {
      seen(Leg::forward, "one", Direction::out, "10.0.0.1", "10.0.0.9"),
      seen(Leg::reply, "two", Direction::out, "10.0.0.9", "10.0.0.1", 80, 40001),
      seen(Leg::reply, "impostor", Direction::out, "10.0.0.66", "10.0.0.1", 80, 40001),
      seen(Leg::reply, "one", Direction::in, "10.0.0.66", "10.0.0.1", 80, 40001),
  };
  EXPECT_EQ(translated_at(journey, 2), Translated{});
  EXPECT_EQ(translated_at(journey, 3), Translated{});
}

TEST(TranslatedAt, WhoSentTheProbeOnMadeNoAnswer) {
  Journey journey;
  journey.sightings = {
      seen(Leg::forward, "one", Direction::out, "10.0.0.1", "10.0.0.9", 40001, 8080),
      seen(Leg::forward, "host", Direction::out, "10.0.0.1", "10.0.0.2", 40001, 80),
      seen(Leg::reply, "two", Direction::out, "10.0.0.2", "10.0.0.1", 80, 40001),
      seen(Leg::reply, "host", Direction::out, "10.0.0.9", "10.0.0.1", 8080, 40001),  // not seen coming in
  };
  EXPECT_EQ(translated_at(journey, 3), (Translated{true, false}));
}

TEST(TranslatedAt, PassesOverNeighbourDiscovery) {
  Journey journey;
  journey.sightings = {plain(), plain()};
  journey.sightings[1].leg = Leg::neighbour;
  journey.sightings[1].packet.ip->source = *IpAddress::parse("10.0.0.7");
  EXPECT_EQ(translated_at(journey, 1), Translated{});
}

}  // namespace
}  // namespace plumbline::proof
