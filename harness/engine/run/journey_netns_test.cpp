// Journeys over real networks: what was resolved on the way, how it was translated, and in which order.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "harness/engine/check/promise.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/proof/journey/notes.hpp"

namespace plumbline::engine {
namespace {

using network::Interface;
using network::Node;
using proof::Leg;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;
using Status = traffic::ProbeOutcome::Status;

/// host 10.99.0.1, a bridge with the containers c1 10.99.1.1, c2 10.99.1.2, …
network::Topology bridge_with(int count, const std::string& rules) {
  network::Topology topology;
  Node host;
  host.name = "host";
  host.role = network::Role::host;
  // Frames between two ports do not cross the host's IP rules, unless a test says so.
  host.sysctls = {{"net.ipv4.ip_forward", "1"}, {"net.bridge.bridge-nf-call-iptables", "0"}};
  host.nft_text = rules;
  Interface bridge;
  bridge.name = "bridge0";
  bridge.kind = network::LinkKind::bridge;
  bridge.addresses = {*InterfaceAddress::parse("10.99.0.1/16"), *InterfaceAddress::parse("fd00:99::1:1/64")};
  host.interfaces.push_back(bridge);
  for (int i = 1; i <= count; ++i) {
    Interface port;
    port.name = fmt::format("port{}", i);
    port.peer = network::Endpoint{fmt::format("c{}", i), "eth0"};
    port.master = "bridge0";
    host.interfaces.push_back(port);
    Node container;
    container.name = port.peer->node;
    container.role = network::Role::container;
    Interface eth0;
    eth0.name = "eth0";
    eth0.peer = network::Endpoint{"host", port.name};
    eth0.addresses = {*InterfaceAddress::parse(fmt::format("10.99.1.{}/16", i)),
                      *InterfaceAddress::parse(fmt::format("fd00:99::{}/64", i))};
    container.interfaces = {eth0};
    topology.nodes.push_back(container);
  }
  topology.nodes.push_back(host);
  return topology;
}

/// What is published at the host's own address goes to c2 and comes back through the host, by ports of its
/// own.
constexpr const char* kPublished =
    "table ip publish {\n"
    " chain pre { type nat hook prerouting priority -100; meta l4proto { tcp, udp } th dport 8080 dnat to "
    "10.99.1.2:80; }\n"
    " chain post { type nat hook postrouting priority 100; ip saddr 10.99.0.0/16 ip daddr 10.99.0.0/16 meta "
    "l4proto { tcp, udp } masquerade to :1024-1100; }\n"
    "}\n";

class JourneyTest : public ::testing::Test {
 protected:
  void build(const network::Topology& topology, const std::vector<Need>& needs = {},
             std::chrono::milliseconds timeout = std::chrono::milliseconds(2000), std::size_t checks = 4) {
    network_.build(topology);
    StageOptions options;
    options.timeout = timeout;
    options.checks = checks;
    stage_.emplace(loop_.get_executor(), network_, network::discover(network_, topology), needs, options);
  }
  void TearDown() override {
    stage_.reset();
    network_.teardown();
  }

  Evidence probe(const std::string& from, const std::string& to, Service with,
                 IpFamily family = IpFamily::v4) {
    Target target = stage_->target(from, to, family);
    std::optional<Evidence> evidence;
    std::exception_ptr failed;
    boost::asio::co_spawn(loop_, stage_->exchange(from, target, with),
                          [&](std::exception_ptr problem, Evidence found) {
                            failed = std::move(problem);
                            evidence = std::move(found);
                            loop_.stop();
                          });
    loop_.restart();
    loop_.run();
    if (failed) std::rethrow_exception(failed);
    contradictions(evidence->journey);
    return std::move(*evidence);
  }

  /// Nothing comes in at one end of a cable before it left the other.
  void contradictions(const proof::Journey& journey) const {
    std::map<std::string, int> on_the_cable;
    for (const proof::Sighting& seen : journey.sightings) {
      const Node* node = stage_->topology().find(seen.node);
      const Interface* at = node == nullptr ? nullptr : node->find_interface(seen.interface);
      if (at == nullptr || !at->peer) continue;
      const bool out = seen.packet.direction == traffic::Direction::out;
      // The copies of questions that leave by a bridge's ports are not captured.
      if (seen.leg == Leg::neighbour && seen.node != "host" && !out) continue;
      const std::string cable =
          fmt::format("{} {}", static_cast<int>(seen.leg),
                      out ? seen.node + seen.interface : at->peer->node + at->peer->interface);
      on_the_cable[cable] += out ? 1 : -1;
      EXPECT_GE(on_the_cable[cable], 0) << cable << "\n" << told(journey);
    }
  }

  static std::string told(const proof::Journey& journey) {
    std::string text;
    for (const JourneyStep& step : steps(journey, nullptr)) {
      text +=
          fmt::format("{} {}:{} {} {}\n", step.t_us, step.node, step.interface, step.direction, step.packet);
    }
    return text;
  }
  static std::vector<std::string> places(const proof::Journey& journey, Leg leg) {
    std::vector<std::string> found;
    for (const proof::Sighting& s : journey.sightings) {
      const char* direction = s.packet.direction == traffic::Direction::out ? " out" : " in";
      if (s.leg == leg) found.push_back(place(s) + direction);
    }
    return found;
  }
  static std::vector<std::string> resolutions(const proof::Journey& journey) {
    std::vector<std::string> found;
    for (const proof::Sighting& s : journey.sightings) {
      const char* direction = s.packet.direction == traffic::Direction::out ? " out " : " in ";
      if (s.leg == Leg::neighbour) found.push_back(place(s) + direction + traffic::to_text(s.packet));
    }
    return found;
  }

  boost::asio::io_context loop_;
  network::LiveNetwork network_;
  std::optional<Stage> stage_;
};

constexpr Service kPing{traffic::Protocol::ping, 0};
constexpr Service kPublishedTcp{traffic::Protocol::tcp, 8080};

TEST_F(JourneyTest, AHairpinIsFollowedThroughBothTranslations) {
  build(bridge_with(2, kPublished), {{"c1", "c2", {traffic::Protocol::tcp, 80}}});
  const Evidence evidence = probe("c1", "10.99.0.1", kPublishedTcp);
  const proof::Journey& journey = evidence.journey;
  EXPECT_TRUE(evidence.answered()) << told(journey);
  EXPECT_TRUE(journey.complete);
  auto out = places(journey, Leg::forward);
  ASSERT_GE(out.size(), 6U) << told(journey);
  out.resize(6);
  EXPECT_THAT(out, ElementsAre("c1:eth0 out", "host:port1 in", "host:bridge0 in", "host:bridge0 out",
                               "host:port2 out", "c2:eth0 in"))
      << told(journey);
  EXPECT_EQ(places(journey, Leg::reply).front(), "c2:eth0 out");
  for (std::size_t i = 0; i < journey.sightings.size(); ++i) {
    const proof::Sighting& s = journey.sightings[i];
    if (s.leg != Leg::forward) continue;
    const bool beyond = s.node == "c2" || (s.node == "host" && s.packet.direction == traffic::Direction::out);
    EXPECT_EQ(proof::translated_at(journey, i), (proof::Translated{beyond, beyond})) << place(s);
  }
  const auto translations = stage_->translations(journey);
  const auto at_host = std::ranges::find(translations, "host", &proof::Translation::node);
  ASSERT_NE(at_host, translations.end());
  EXPECT_TRUE(at_host->source_translated && at_host->destination_translated && at_host->answered);
  EXPECT_EQ(at_host->original.destination_port, 8080);
  EXPECT_EQ(at_host->reply.source.to_string(), "10.99.1.2");
  EXPECT_EQ(at_host->reply.source_port, 80);
  EXPECT_EQ(at_host->reply.destination.to_string(), "10.99.0.1");
  EXPECT_GE(at_host->reply.destination_port, 1024);
  EXPECT_LE(at_host->reply.destination_port, 1100);
}

TEST_F(JourneyTest, AHairpinInsideTheBridgeIsFollowedToo) {
  network::Topology topology = bridge_with(2, kPublished);
  topology.find("host")->sysctls["net.bridge.bridge-nf-call-iptables"] = "1";
  build(topology, {{"c1", "c2", {traffic::Protocol::tcp, 80}}});
  const Evidence evidence = probe("c1", "10.99.0.1", kPublishedTcp);
  EXPECT_TRUE(evidence.answered()) << told(evidence.journey);
  EXPECT_NE(evidence.journey.arrived("c2"), nullptr);
  EXPECT_EQ(places(evidence.journey, Leg::reply).front(), "c2:eth0 out");
  EXPECT_THAT(resolutions(evidence.journey), Contains("c2:eth0 in ARP who-has 10.99.1.2 tell 10.99.0.1"))
      << told(evidence.journey);
  EXPECT_THAT(stage_->translations(evidence.journey), SizeIs(1));
}

TEST_F(JourneyTest, TheAddressesItHadToAskForArePartOfIt) {
  build(bridge_with(2, kPublished), {{"c1", "c2", {traffic::Protocol::tcp, 80}}});
  const Evidence evidence = probe("c1", "10.99.0.1", kPublishedTcp);
  const auto asked = resolutions(evidence.journey);
  EXPECT_THAT(asked, IsSupersetOf({"c1:eth0 out ARP who-has 10.99.0.1 tell 10.99.1.1",
                                   "host:port1 in ARP who-has 10.99.0.1 tell 10.99.1.1",
                                   "host:bridge0 out ARP who-has 10.99.1.2 tell 10.99.0.1",
                                   "c2:eth0 in ARP who-has 10.99.1.2 tell 10.99.0.1"}))
      << told(evidence.journey);
  EXPECT_EQ(evidence.journey.sightings.front().leg, Leg::neighbour);
  EXPECT_EQ(steps(evidence.journey, nullptr).front().t_us, 0);
  // Known by now: the second one waits for nothing.
  const Evidence again = probe("c1", "10.99.0.1", kPublishedTcp);
  EXPECT_THAT(resolutions(again.journey), IsEmpty()) << told(again.journey);
}

TEST_F(JourneyTest, AClosedPortsResetIsFollowedBackThroughTheHairpin) {
  build(bridge_with(2, kPublished));
  const Evidence evidence = probe("c1", "10.99.0.1", kPublishedTcp);
  EXPECT_EQ(evidence.outcome.status, Status::refused) << told(evidence.journey);
  EXPECT_THAT(places(evidence.journey, Leg::reply),
              ElementsAre("c2:eth0 out", "host:port2 in", "host:bridge0 in", "host:bridge0 out",
                          "host:port1 out", "c1:eth0 in"))
      << told(evidence.journey);
  // Conntrack forgets such a connection at once: there is only the sequence number.
  EXPECT_THAT(stage_->translations(evidence.journey), IsEmpty());
}

TEST_F(JourneyTest, ARejectsResetIsFollowedBackThroughTheDnat) {
  build(bridge_with(
            2, std::string(kPublished) +
                   "table ip guard {\n chain f { type filter hook forward priority 0; tcp dport 80 reject "
                   "with tcp reset; }\n}\n"),
        {{"c1", "c2", {traffic::Protocol::tcp, 80}}});
  const Evidence evidence = probe("c1", "10.99.0.1", kPublishedTcp);
  EXPECT_EQ(evidence.outcome.status, Status::refused) << told(evidence.journey);
  EXPECT_THAT(places(evidence.journey, Leg::reply),
              ElementsAre("host:bridge0 out", "host:port1 out", "c1:eth0 in"))
      << told(evidence.journey);
  EXPECT_EQ(evidence.journey.arrived("c2"), nullptr);
}

TEST_F(JourneyTest, NatOfTheSendersOwnIsTold) {
  network::Topology topology = bridge_with(2, "");
  topology.find("c1")->nft_text =
      "table ip own {\n chain o { type nat hook output priority -100; udp dport 9 dnat to 10.99.1.2:7; "
      "}\n}\n";
  build(topology, {{"c1", "c2", {traffic::Protocol::udp, 7}}});
  const Evidence evidence = probe("c1", "10.99.0.1", {traffic::Protocol::udp, 9});
  EXPECT_TRUE(evidence.answered()) << told(evidence.journey);
  const auto translations = stage_->translations(evidence.journey);
  ASSERT_THAT(translations, SizeIs(1));
  EXPECT_EQ(translations[0].node, "c1");
  EXPECT_TRUE(translations[0].destination_translated && translations[0].answered);
  EXPECT_FALSE(translations[0].source_translated);
  EXPECT_EQ(translations[0].original.destination.to_string(), "10.99.0.1");
  EXPECT_EQ(translations[0].reply.source.to_string(), "10.99.1.2");
}

TEST_F(JourneyTest, WhatNobodyAnsweredIsAllThatIsSeen) {
  build(bridge_with(2, ""), {}, std::chrono::milliseconds(300));
  const Evidence evidence = probe("c1", "10.99.1.77", kPing);
  EXPECT_EQ(evidence.outcome.status, Status::timeout);
  EXPECT_THAT(resolutions(evidence.journey), Contains("c1:eth0 out ARP who-has 10.99.1.77 tell 10.99.1.1"));
  EXPECT_EQ(evidence.journey.furthest(), nullptr);
  EXPECT_EQ(evidence.journey.passed("c1"), nullptr);
  EXPECT_EQ(evidence.furthest(), "never seen leaving c1");
}

TEST_F(JourneyTest, TwoOwnersOfOneAddressBothShow) {
  network::Topology topology = bridge_with(3, "");
  topology.find("c3")->interfaces[0].addresses = {*InterfaceAddress::parse("10.99.1.2/16")};
  build(topology);
  const Evidence evidence = probe("c1", "10.99.1.2", kPing);
  EXPECT_TRUE(evidence.answered());
  std::set<MacAddress> owners;
  for (const proof::Sighting& s : evidence.journey.sightings) {
    const auto* arp = std::get_if<traffic::ArpHeader>(&s.packet.transport);
    if (arp != nullptr && !arp->request && s.packet.direction == traffic::Direction::out &&
        s.node != "host") {
      owners.insert(arp->sender_mac);
    }
  }
  EXPECT_THAT(owners, SizeIs(2)) << told(evidence.journey);
}

TEST_F(JourneyTest, NeighbourDiscoveryIsPartOfItToo) {
  build(bridge_with(2, ""));
  const Evidence evidence = probe("c1", "c2", kPing, IpFamily::v6);
  EXPECT_TRUE(evidence.answered());
  const auto asked = resolutions(evidence.journey);
  const auto has = [&](const char* place, const char* what) {
    return std::ranges::any_of(asked, [&](const std::string& text) {
      return text.starts_with(place) && text.find(what) != std::string::npos;
    });
  };
  EXPECT_TRUE(has("c1:eth0 out", "neighbour solicitation for fd00:99::2")) << told(evidence.journey);
  EXPECT_TRUE(has("c2:eth0 in", "neighbour solicitation for fd00:99::2")) << told(evidence.journey);
  EXPECT_TRUE(has("c1:eth0 in", "neighbour advertisement for fd00:99::2")) << told(evidence.journey);
}

TEST_F(JourneyTest, ChecksumsLeftToTheDeviceAreNoErrors) {
  build(bridge_with(2, ""), {{"c1", "c2", {traffic::Protocol::tcp, 80}}});
  const Evidence evidence = probe("c1", "c2", {traffic::Protocol::tcp, 80});
  EXPECT_TRUE(evidence.answered());
  bool partial = false;
  for (const proof::Sighting& s : evidence.journey.sightings) {
    const std::string note = proof::offload_note(s, 1500);
    EXPECT_EQ(note.find("bad"), std::string::npos) << place(s) << ": " << note;
    partial = partial || note == "checksum left to the device";
  }
  EXPECT_TRUE(partial) << told(evidence.journey);
}

TEST_F(JourneyTest, AnAddressThatIsNewIsWatchedAsWell) {
  network::Topology topology = bridge_with(2, "");
  build(topology);
  network::Topology addition;
  Node more;
  more.name = "c2";
  more.role = network::Role::container;
  Interface lo;
  lo.name = "lo";
  lo.kind = network::LinkKind::loopback;
  lo.addresses = {*InterfaceAddress::parse("10.99.1.200/32")};
  more.interfaces = {lo};
  addition.nodes = {more};
  network_.build(addition);
  stage_->update(network::discover(network_, topology), {});
  const Evidence evidence = probe("c1", "10.99.1.200", kPing);
  EXPECT_TRUE(evidence.answered());
  EXPECT_THAT(resolutions(evidence.journey), Contains("c2:eth0 in ARP who-has 10.99.1.200 tell 10.99.1.1"))
      << told(evidence.journey);
}

/// Each question of the bridge's node is a hundred frames, and so is each container's.
TEST_F(JourneyTest, OfAHundredContainersAskingAtOnceNoFrameIsLost) {
  constexpr int count = 100;
  build(bridge_with(count, ""), {}, std::chrono::milliseconds(5000), 2U * count);
  std::vector<Evidence> all;
  for (int i = 1; i <= count; ++i) {
    for (const std::string& from : {std::string("host"), fmt::format("c{}", i % count + 1)}) {
      Target target = stage_->target(from, fmt::format("c{}", i), IpFamily::v4);
      boost::asio::co_spawn(loop_, stage_->exchange(from, target, kPing),
                            [&](const std::exception_ptr& problem, Evidence found) {
                              EXPECT_FALSE(problem);
                              all.push_back(std::move(found));
                              if (all.size() == 2U * count) loop_.stop();
                            });
    }
  }
  loop_.run();
  ASSERT_EQ(all.size(), 2U * count);
  std::size_t asked = 0, lost = 0;
  for (const Evidence& evidence : all) {
    EXPECT_TRUE(evidence.answered()) << evidence.from << " to " << evidence.to.text;
    lost += evidence.journey.complete ? 0U : 1U;
    const auto resolved = resolutions(evidence.journey);
    // Of a question's hundred copies only those on the way are told, and of others' questions none.
    EXPECT_LE(resolved.size(), 40U) << told(evidence.journey);
    if (!resolved.empty()) ++asked;
    contradictions(evidence.journey);
  }
  EXPECT_EQ(lost, 0U);
  EXPECT_GT(asked, static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace plumbline::engine
