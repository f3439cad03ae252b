#include "harness/proof/journey/neighbours.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::proof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using traffic::Direction;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}
MacAddress mac(std::uint8_t last) {
  return MacAddress{{2, 0, 0, 0, 0, last}};
}

/// container (10.0.0.11) ── host (10.0.0.1; 10.1.0.2) ── router (10.1.0.1), the host's gateway.
const IpAddress kContainer = ip("10.0.0.11"), kInside = ip("10.0.0.1"), kOutside = ip("10.1.0.2"),
                kRouter = ip("10.1.0.1"), kServer = ip("203.0.113.80");
constexpr std::uint64_t kMs = 1'000'000, kStart = 1'000'000 * kMs;

class NeighboursTest : public testing::Test {
 protected:
  void packet(unsigned ms, const char* node, const char* interface, Direction direction,
              Leg leg = Leg::forward, const IpAddress& from = kContainer, const IpAddress& to = kServer) {
    Sighting sighting = seen(ms, node, interface, direction);
    sighting.leg = leg;
    sighting.packet.ip.emplace();
    sighting.packet.ip->source = from;
    sighting.packet.ip->destination = to;
    probe_.push_back(sighting);
  }
  void arp(unsigned ms, const char* node, const char* interface, Direction direction, bool request,
           const IpAddress& asker, const IpAddress& wanted, std::uint8_t answerer = 9) {
    Sighting sighting = seen(ms, node, interface, direction);
    traffic::ArpHeader header;
    header.request = request;
    header.sender = request ? asker : wanted;
    header.target = request ? wanted : asker;
    header.sender_mac = request ? mac(1) : mac(answerer);
    header.target_mac = request ? MacAddress{} : mac(1);
    sighting.packet.transport = header;
    const auto question = neighbour_question(sighting.packet);
    ASSERT_TRUE(question);
    frames_.add(*question, sighting);
  }
  /// "2 host:eth1 out", in ms since the start.
  std::vector<std::string> waited(const std::string& source = "container") const {
    Terrain terrain;
    terrain.source = source;
    terrain.target = kServer;
    terrain.gateways = [](const std::string& node) {
      if (node == "container") return std::vector{kInside};
      return node == "host" ? std::vector{kRouter} : std::vector<IpAddress>{};
    };
    std::vector<std::string> text;
    for (const Sighting& s : frames_.waited_for(probe_, kStart, terrain)) {
      EXPECT_EQ(s.leg, Leg::neighbour);
      text.push_back(fmt::format("{} {}:{} {}", (s.time_ns - kStart + kMs * 100) / kMs - 100, s.node,
                                 s.interface, s.packet.direction == Direction::out ? "out" : "in"));
    }
    return text;
  }
  /// The host asks the router at `ms`, and is answered 2 ms later.
  void host_asks_router(unsigned ms, bool answered = true) {
    arp(ms, "host", "eth1", Direction::out, true, kOutside, kRouter);
    arp(ms, "router", "eth0", Direction::in, true, kOutside, kRouter);
    if (!answered) return;
    arp(ms + 1, "router", "eth0", Direction::out, false, kOutside, kRouter);
    arp(ms + 2, "host", "eth1", Direction::in, false, kOutside, kRouter);
  }

  std::vector<Sighting> probe_;
  NeighbourFrames frames_;

 private:
  static Sighting seen(unsigned ms, const char* node, const char* interface, Direction direction) {
    Sighting sighting;
    sighting.time_ns = kStart + ms * kMs;
    sighting.node = node;
    sighting.interface = interface;
    sighting.packet.direction = direction;
    return sighting;
  }
};

TEST_F(NeighboursTest, APacketWaitsInANodeForTheAnswer) {
  packet(10, "container", "eth0", Direction::out);
  packet(10, "host", "eth0", Direction::in);
  host_asks_router(11);
  packet(14, "host", "eth1", Direction::out);
  EXPECT_THAT(waited(),
              ElementsAre("11 host:eth1 out", "11 router:eth0 in", "12 router:eth0 out", "13 host:eth1 in"));
}

TEST_F(NeighboursTest, AQuestionThatWasOpenAlreadyIsWaitedForToo) {
  host_asks_router(11);
  packet(12, "host", "eth0", Direction::in);
  packet(14, "host", "eth1", Direction::out);
  EXPECT_EQ(waited().size(), 4U);
}

TEST_F(NeighboursTest, WhatWasAnsweredBeforeOrAskedAfterwardsIsNotWaitedFor) {
  host_asks_router(5);
  packet(10, "host", "eth0", Direction::in);
  packet(11, "host", "eth1", Direction::out);
  host_asks_router(20);
  EXPECT_THAT(waited(), IsEmpty());
}

TEST_F(NeighboursTest, OthersQuestionsAreNoneOfTheProbes) {
  packet(10, "host", "eth0", Direction::in);
  arp(11, "host", "eth1", Direction::out, true, kOutside, ip("10.1.0.77"));  // nobody's next hop
  arp(11, "host", "eth2", Direction::out, true, kOutside, kRouter);          // not where it left
  arp(11, "bystander", "eth0", Direction::out, true, ip("10.1.0.9"), kRouter);
  packet(14, "host", "eth1", Direction::out);
  EXPECT_THAT(waited(), IsEmpty());
}

TEST_F(NeighboursTest, WhatNeverLeftWaitsUntilNow) {
  packet(10, "host", "eth0", Direction::in);
  host_asks_router(11, false);
  host_asks_router(1011, false);
  EXPECT_EQ(waited().size(), 4U);
}

TEST_F(NeighboursTest, TheSourcesOwnPacketIsNotEvenSeen) {
  arp(1, "container", "eth0", Direction::out, true, kContainer, kInside);
  arp(1, "host", "eth0", Direction::in, true, kContainer, kInside);
  EXPECT_THAT(waited(), ElementsAre("1 container:eth0 out", "1 host:eth0 in"));
  EXPECT_THAT(waited("host"), IsEmpty());
}

TEST_F(NeighboursTest, ItsTargetOnLinkIsAskedFor) {
  arp(1, "container", "eth0", Direction::out, true, kContainer, kServer);
  EXPECT_EQ(waited().size(), 1U);
}

TEST_F(NeighboursTest, TwoAnswerersOfOneAddressBothShow) {
  packet(10, "host", "eth0", Direction::in);
  host_asks_router(11);
  packet(14, "host", "eth1", Direction::out);
  arp(15, "impostor", "eth0", Direction::out, false, kOutside, kRouter, 66);
  arp(15, "host", "eth1", Direction::in, false, kOutside, kRouter, 66);
  const auto all = waited();
  EXPECT_EQ(all.size(), 6U);
  EXPECT_EQ(all.back(), "15 host:eth1 in");
}

TEST_F(NeighboursTest, AnAnswerWaitsAsWell) {
  packet(10, "server", "eth0", Direction::in);
  arp(11, "server", "eth0", Direction::out, true, kServer, kContainer);
  arp(12, "server", "eth0", Direction::in, false, kServer, kContainer);
  packet(13, "server", "eth0", Direction::out, Leg::reply, kServer, kContainer);
  EXPECT_EQ(waited().size(), 2U);
}

TEST_F(NeighboursTest, WhoHasItsAnswerWaitsForNothing) {
  packet(1, "container", "eth0", Direction::out);
  packet(10, "container", "eth0", Direction::in, Leg::reply, kServer, kContainer);
  arp(11, "container", "eth0", Direction::out, true, kContainer, kInside);
  EXPECT_THAT(waited(), IsEmpty());
}

TEST_F(NeighboursTest, AnErrorOfTheNodeItselfIsNoLeaving) {
  packet(10, "host", "eth0", Direction::in);
  host_asks_router(11, false);
  packet(3011, "host", "eth0", Direction::out, Leg::error, kInside, kContainer);
  EXPECT_EQ(waited().size(), 2U);
}

TEST_F(NeighboursTest, KeepsTheLatestOnly) {
  for (std::size_t i = 0; i < NeighbourFrames::kMost + 10; ++i) {
    arp(1, "container", "eth0", Direction::out, true, kContainer, kInside);
  }
  EXPECT_EQ(waited().size(), NeighbourFrames::kMost);
}

TEST(NeighbourQuestion, ReadsBothProtocols) {
  traffic::Packet packet;
  packet.source_mac = mac(1);
  packet.ip.emplace();
  packet.ip->source = ip("fe80::1");
  packet.ip->destination = ip("ff02::1:ff00:2");
  traffic::IcmpHeader icmp;
  icmp.v6 = true;
  icmp.type = 135;
  icmp.target = ip("fe80::2");
  packet.transport = icmp;
  const auto question = neighbour_question(packet);
  ASSERT_TRUE(question);
  EXPECT_FALSE(question->answer);
  EXPECT_EQ(question->asker, ip("fe80::1"));
  EXPECT_EQ(question->wanted, ip("fe80::2"));
  packet.ip->source = ip("::");  // duplicate detection
  EXPECT_FALSE(neighbour_question(packet));
  icmp.type = 136;
  packet.transport = icmp;
  packet.ip->destination = ip("fe80::1");
  ASSERT_TRUE(neighbour_question(packet));
  EXPECT_TRUE(neighbour_question(packet)->answer);
  traffic::ArpHeader announcement;
  announcement.request = true;
  announcement.sender = announcement.target = ip("10.0.0.1");
  packet.transport = announcement;
  EXPECT_FALSE(neighbour_question(packet));
  EXPECT_FALSE(neighbour_question(traffic::Packet{}));
}

}  // namespace
}  // namespace plumbline::proof
