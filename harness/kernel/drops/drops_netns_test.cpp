#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "harness/base/deadline.hpp"
#include "harness/kernel/drops/drops.hpp"
#include "harness/kernel/links/veth.hpp"
#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/route.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"

namespace plumbline::kernel::drops {
namespace {

using netlink::Batch;
using netlink::Route;
using netlink::RouteKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing_support::send_udp;
using testing_support::with_loopback;

constexpr std::string_view kPayload = "PLABCDEF and more";

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

bool holds(const DropEvent& event, std::string_view text) {
  return std::ranges::search(event.packet, text).begin() != event.packet.end();
}

/// Only those that hold the payload: a new namespace has packets of its own.
std::vector<DropEvent> ours(Watch& watch) {
  std::vector<DropEvent> events = watch.take();
  std::erase_if(events, [](const DropEvent& event) { return !holds(event, "PL"); });
  return events;
}

std::vector<std::string> reasons(Watch& watch) {
  std::vector<std::string> found;
  for (const DropEvent& event : ours(watch)) found.push_back(event.reason);
  return found;
}

void drop_input(const Netns& netns) {
  nft::load_text(netns,
                 "table inet t {\n chain i { type filter hook input priority 0; udp dport 9 drop\n }\n}\n",
                 "nft");
}

class Drops : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto why = refused();
    if (!why) return;
    EXPECT_EQ(why->kind(), ErrorKind::environment) << why->what();
    EXPECT_FALSE(why->remedy().empty()) << why->what();
    GTEST_SKIP() << why->what() << "; remedy: " << why->remedy();
  }
};

TEST_F(Drops, NamesReasonFunctionAndPacket) {
  const Netns netns = with_loopback();
  drop_input(netns);
  Watch watch({&netns});
  const std::uint64_t before = now_ns();
  send_udp(netns, kPayload);
  const std::uint64_t after = now_ns();
  const auto events = ours(watch);
  ASSERT_THAT(events, SizeIs(1));
  const DropEvent& event = events.front();
  EXPECT_EQ(event.reason, "NETFILTER_DROP");
  EXPECT_EQ(event.function, "nft_do_chain");
  EXPECT_EQ(event.netns, netns.inode());
  EXPECT_EQ(event.ifindex, 1U);
  EXPECT_FALSE(event.sent_here);
  EXPECT_EQ(event.protocol, 0x0800);
  ASSERT_FALSE(event.packet.empty());
  EXPECT_EQ(event.packet[0], 0x45);
  EXPECT_TRUE(holds(event, kPayload));
  constexpr std::uint64_t kSlack = 1'000'000;  // the two clocks are not read at one moment
  EXPECT_GE(event.time_ns + kSlack, before);
  EXPECT_LE(event.time_ns, after + kSlack);
  EXPECT_EQ(watch.lost(), 0U);
}

TEST_F(Drops, ThoseOfIpv6Too) {
  const Netns netns = with_loopback();
  drop_input(netns);
  Watch watch({&netns});
  send_udp(netns, kPayload, 9, true);
  const auto events = ours(watch);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "NETFILTER_DROP");
  EXPECT_EQ(events[0].protocol, 0x86dd);
}

TEST_F(Drops, KnowsWhatWasOnItsWayOut) {
  const Netns netns = with_loopback();
  nft::load_text(netns,
                 "table inet t {\n chain o { type filter hook output priority 0; udp dport 9 drop\n }\n}\n",
                 "nft");
  Watch watch({&netns});
  send_udp(netns, kPayload);
  const auto events = ours(watch);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "NETFILTER_DROP");
  EXPECT_TRUE(events[0].sent_here);
  EXPECT_EQ(events[0].ifindex, 1U);  // by its route: it has no device yet
}

TEST_F(Drops, NothingIsToldOfAHealthyExchange) {
  const Netns netns = with_loopback();
  Watch watch({&netns});
  const Fd receiver = netns.run([] {
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return socket;
  });
  send_udp(netns, kPayload);
  std::array<char, 64> received{};
  ASSERT_EQ(::recv(receiver.get(), received.data(), received.size(), 0),
            static_cast<ssize_t>(kPayload.size()));
  EXPECT_THAT(ours(watch), IsEmpty());
  send_udp(netns, kPayload, 10);
  EXPECT_THAT(reasons(watch), ElementsAre("NO_SOCKET"));
}

TEST_F(Drops, IsReadableWhenSomethingWasTold) {
  const Netns netns = with_loopback();
  drop_input(netns);
  Watch watch({&netns});
  pollfd readable{watch.fd(), POLLIN, 0};
  static_cast<void>(watch.take());
  EXPECT_EQ(::poll(&readable, 1, 0), 0);
  send_udp(netns, kPayload);
  EXPECT_EQ(::poll(&readable, 1, 10'000), 1);
  EXPECT_THAT(ours(watch), SizeIs(1));
  EXPECT_EQ(::poll(&readable, 1, 0), 0);
}

TEST_F(Drops, OfTheNamespacesThatAreWatchedNow) {
  const Netns one = with_loopback();
  const Netns two = with_loopback();
  drop_input(one);
  drop_input(two);
  Watch watch({&one});
  send_udp(one, kPayload);
  send_udp(two, kPayload);
  EXPECT_THAT(reasons(watch), SizeIs(1));
  watch.watch({&two});
  send_udp(one, kPayload);
  send_udp(two, kPayload);
  const auto events = ours(watch);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].netns, two.inode());
}

TEST_F(Drops, CountsWhatThereWasNoRoomFor) {
  const Netns netns = with_loopback();
  drop_input(netns);
  Watch watch({&netns});
  constexpr std::size_t kSent = 2'000;
  for (std::size_t i = 0; i < kSent; ++i) send_udp(netns, kPayload);
  const std::size_t told = ours(watch).size();
  EXPECT_GT(watch.lost(), 0U);
  EXPECT_EQ(told + watch.lost(), kSent);
  const std::uint64_t lost = watch.lost();
  watch.watch({});
  EXPECT_EQ(watch.lost(), lost);
}

/// container (192.0.2.2) -- host (192.0.2.1), which forwards. They know each other's hardware address.
class Forwarding : public Drops {
 protected:
  void SetUp() override {
    Drops::SetUp();
    if (IsSkipped()) return;
    links::Veth pair;
    pair.end = {"c0", std::nullopt, kHost, kHostMac, 0};
    pair.peer = {"eth0", container_.fd(), kContainer, kContainerMac, 0};
    apply(host_, {links::create(pair)});
    apply(host_, {up(kHost), address(kHost, "192.0.2.1/24"), neighbour(kHost, "192.0.2.2", kContainerMac)});
    apply(container_, {up(kContainer), address(kContainer, "192.0.2.2/24"),
                       neighbour(kContainer, "192.0.2.1", kHostMac)});
    wait_until_running(container_);
    wait_until_running(host_);
    apply(container_, {netlink::add_route(by_host())});
    // Whatever the machine's defaults are.
    for (const char* interface : {"all", "c0"})
      write_sysctl(host_, fmt::format("net.ipv4.conf.{}.rp_filter", interface), "0");
    write_sysctl(host_, "net.ipv4.ip_forward", "1");
  }

  static constexpr unsigned kHost = 7;
  static constexpr unsigned kContainer = 8;
  const MacAddress kHostMac = MacAddress::parse("02:00:00:00:00:01").value();
  const MacAddress kContainerMac = MacAddress::parse("02:00:00:00:00:02").value();

  static netlink::Message up(unsigned index) {
    netlink::LinkChange change;
    change.index = index;
    change.up = true;
    return netlink::set_link(change);
  }
  static netlink::Message address(unsigned index, const char* text) {
    return netlink::add_address({index, InterfaceAddress::parse(text).value()});
  }
  static netlink::Message neighbour(unsigned index, const char* text, const MacAddress& mac) {
    return netlink::add_neighbour({index, IpAddress::parse(text).value(), mac});
  }
  static Route by_host() {
    Route route;
    route.to = Prefix::parse("0.0.0.0/0").value();
    route.via = IpAddress::parse("192.0.2.1");
    return route;
  }
  static void apply(const Netns& netns, const std::vector<netlink::Message>& messages) {
    Batch batch("test");
    for (const netlink::Message& message : messages) batch.add(message, [] { return "a message"; });
    netlink::Socket::open(netns).execute(batch);
  }
  /// But for the loopback.
  static void wait_until_running(const Netns& netns) {
    auto changes = netlink::Socket::open(netns);
    changes.subscribe(netlink::Group::links);
    const auto all_run = [&] {
      const auto found =
          netlink::Socket::open(netns).dump(netlink::get_links(), "links", netlink::decode_link);
      return std::ranges::all_of(found, [](const auto& link) { return link.loopback || link.running; });
    };
    const Deadline deadline = Deadline::after(std::chrono::seconds(10));
    while (!all_run()) ASSERT_TRUE(changes.wait(deadline));
  }

  /// From the container.
  void send(const char* to, const char* from = "192.0.2.2") const {
    container_.run([&] {
      const auto at = [](const char* text, std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        EXPECT_EQ(::inet_pton(AF_INET, text, &address.sin_addr), 1);
        return address;
      };
      const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      const sockaddr_in source = at(from, 0);
      ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source), 0);
      const sockaddr_in target = at(to, 9);
      ASSERT_GT(::sendto(socket.get(), kPayload.data(), kPayload.size(), 0,
                         reinterpret_cast<const sockaddr*>(&target), sizeof target),
                0);
    });
  }
  /// It crosses the pair later, and may wait for a neighbour: so it is awaited.
  static std::vector<DropEvent> awaited(Watch& watch) {
    std::vector<DropEvent> events;
    pollfd readable{watch.fd(), POLLIN, 0};
    while (events.empty() && ::poll(&readable, 1, 10'000) == 1) events = ours(watch);
    return events;
  }

  Netns host_ = Netns::create();
  Netns container_ = Netns::create();
};

TEST_F(Forwarding, OffIsAReason) {
  write_sysctl(host_, "net.ipv4.ip_forward", "0");
  Watch watch({&host_, &container_});
  send("198.51.100.1");
  const auto events = awaited(watch);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "IP_INADDRERRORS");
  EXPECT_EQ(events[0].function, "ip_error");
  EXPECT_EQ(events[0].netns, host_.inode());
  EXPECT_EQ(events[0].ifindex, kHost);
  EXPECT_FALSE(events[0].sent_here);
}

// On a busy machine the sender's queue was seen to report a drop as well, of a packet that went on.
TEST_F(Forwarding, WithoutARouteIsAnother) {
  Watch watch({&host_, &container_});
  send("198.51.100.1");
  auto events = awaited(watch);
  std::erase_if(events, [](const DropEvent& event) { return event.sent_here; });
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "IP_INNOROUTES");
}

TEST_F(Forwarding, SoIsAStrictReversePathFilter) {
  write_sysctl(host_, "net.ipv4.conf.c0.rp_filter", "1");
  apply(container_, {address(kContainer, "203.0.113.5/32")});
  Watch watch({&host_, &container_});
  send("192.0.2.1", "203.0.113.5");
  const auto events = awaited(watch);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "IP_RPFILTER");
}

// The kernel gives no reason, but says where.
TEST_F(Forwarding, ABlackHoleIsSeenToo) {
  Route hole;
  hole.to = Prefix::parse("198.51.100.0/24").value();
  hole.kind = RouteKind::blackhole;
  apply(host_, {netlink::add_route(hole)});
  Watch watch({&host_, &container_});
  send("198.51.100.1");
  const auto events = awaited(watch);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "NOT_SPECIFIED");
  EXPECT_EQ(events[0].function, "ip_error");
  EXPECT_EQ(events[0].netns, host_.inode());
}

TEST_F(Forwarding, WhatWaitsInVainForANeighbourIsDropped) {
  write_sysctl(host_, "net.ipv4.neigh.c0.mcast_solicit", "1");
  write_sysctl(host_, "net.ipv4.neigh.c0.retrans_time_ms", "20");
  apply(host_, {address(kHost, "198.51.100.1/24")});
  Watch watch({&host_, &container_});
  send("198.51.100.9");
  const auto events = awaited(watch);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "NEIGH_FAILED");
  EXPECT_EQ(events[0].netns, host_.inode());
}

/// Inside a sandbox. 0: it was told exactly its own drop.
int watch_in_sandbox(std::uint16_t port, int go) {
  const Netns netns = with_loopback();
  drop_input(netns);
  Watch watch({&netns});
  char byte = 0;
  if (::read(go, &byte, 1) != 0) return 2;  // until all are there
  send_udp(netns, fmt::format("PL {}", port));
  const auto events = ours(watch);
  return events.size() == 1 && holds(events[0], fmt::format("PL {}", port)) ? 0 : 3;
}

TEST_F(Drops, OfSandboxesSideBySideDoNotMix) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd wait(ends[0]);
  Fd go(ends[1]);
  std::vector<Sandbox> sandboxes;
  for (std::uint16_t i = 0; i < 6; ++i) {
    sandboxes.push_back(Sandbox::start([&, i] {
      go.reset();
      return watch_in_sandbox(i, wait.get());
    }));
  }
  go.reset();
  for (Sandbox& sandbox : sandboxes) EXPECT_EQ(sandbox.wait(), 0);
}

TEST_F(Drops, ThoseWhoAreKilledGiveTheirRingBack) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd ready(ends[0]);
  const Fd tell(ends[1]);
  // More than there are rings.
  for (int i = 0; i < 70; ++i) {
    Sandbox sandbox = Sandbox::start([&]() -> int {
      const Netns netns = with_loopback();
      const Watch watch({&netns});
      if (::write(tell.get(), "r", 1) != 1) return 1;
      for (;;) ::pause();
    });
    char byte = 0;
    ASSERT_EQ(::read(ready.get(), &byte, 1), 1) << i;
  }
  const Netns netns = with_loopback();
  drop_input(netns);
  Watch watch({&netns});
  send_udp(netns, kPayload);
  EXPECT_THAT(ours(watch), SizeIs(1));
}

TEST_F(Drops, MoreWatchesThanWerePreparedWorkToo) {
  const Netns netns = with_loopback();
  drop_input(netns);
  const Watch first({});
  Watch second({&netns});
  send_udp(netns, kPayload);
  EXPECT_THAT(ours(second), SizeIs(1));
}

}  // namespace
}  // namespace plumbline::kernel::drops
