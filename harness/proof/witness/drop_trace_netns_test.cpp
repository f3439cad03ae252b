#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>

#include "harness/kernel/drops/drops.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/proof/witness/drop_trace.hpp"

namespace plumbline::proof {
namespace {

using kernel::Netns;
using kernel::testing_support::send_udp;
using kernel::testing_support::with_loopback;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kNonce = 0x504C'4142'4344'4546ULL;
constexpr std::string_view kPayload = "PLABCDEF and more";
constexpr std::chrono::seconds kPatience{10};

class DropTraceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = kernel::drops::refused())
      GTEST_SKIP() << why->what() << "; remedy: " << why->remedy();
  }
  boost::asio::io_context loop_;
  Observer observer_;
};

TEST_F(DropTraceTest, TellsWhatBecameOfAProbe) {
  const Netns netns = with_loopback();
  kernel::nft::load_text(
      netns, "table inet t {\n chain i { type filter hook input priority 0; udp dport 9 drop\n }\n}\n",
      "nft");
  DropTrace trace(loop_.get_executor());
  trace.watch({{"host", &netns}});
  const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
  const WatchId other = observer_.watch(NonceKey{kNonce + 1, 0, 9});
  send_udp(netns, kPayload);
  send_udp(netns, "nobody's");
  trace.drain();
  EXPECT_THAT(trace.drops(observer_, other), IsEmpty());
  const auto drops = trace.drops(observer_, watch);
  ASSERT_THAT(drops, SizeIs(1));
  EXPECT_EQ(drops[0].node, "host");
  EXPECT_EQ(drops[0].reason, "NETFILTER_DROP");
  EXPECT_EQ(drops[0].function, "nft_do_chain");
  EXPECT_EQ(drops[0].interface, "lo");
  EXPECT_EQ(drops[0].leg, Leg::forward);
  EXPECT_EQ(drops[0].destination.to_string(), "127.0.0.1");
  EXPECT_THAT(drops[0].packet, HasSubstr("127.0.0.1"));
  EXPECT_FALSE(may_be_a_copy(drops[0]));
  EXPECT_THAT(trace.drops(observer_, watch), SizeIs(1));  // asking takes nothing away
  trace.forget(watch);
  send_udp(netns, kPayload);
  trace.drain();
  EXPECT_THAT(trace.drops(observer_, watch), IsEmpty());
  EXPECT_EQ(trace.lost(), 0U);
  EXPECT_EQ(trace.problem(), "");
}

TEST_F(DropTraceTest, RecognisesWhatItReadBeforeTheProbeWasKnown) {
  const Netns netns = with_loopback();
  DropTrace trace(loop_.get_executor());
  trace.watch({{"host", &netns}});
  send_udp(netns, kPayload);
  trace.drain();
  const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
  const auto drops = trace.drops(observer_, watch);
  ASSERT_FALSE(drops.empty());
  EXPECT_EQ(drops[0].reason, "NO_SOCKET");
}

TEST_F(DropTraceTest, ReadsOnTheEventLoopAndSaysSo) {
  const Netns netns = with_loopback();
  DropTrace trace(loop_.get_executor());
  trace.watch({{"host", &netns}});
  const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
  std::vector<Drop> heard;
  trace.on_news([&] {
    heard = trace.drops(observer_, watch);
    loop_.stop();
  });
  send_udp(netns, kPayload);
  loop_.run_for(kPatience);
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard[0].reason, "NO_SOCKET");
}

TEST_F(DropTraceTest, ListensToTheNodesThatThereAreNow) {
  const Netns one = with_loopback();
  const Netns two = with_loopback();
  DropTrace trace(loop_.get_executor());
  trace.watch({{"one", &one}});
  trace.watch({{"two", &two}});
  const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
  send_udp(one, kPayload);
  send_udp(two, kPayload);
  trace.drain();
  for (const Drop& drop : trace.drops(observer_, watch)) EXPECT_EQ(drop.node, "two");
  trace.watch({});
  EXPECT_FALSE(trace.drops(observer_, watch).empty());
  loop_.poll();
}

network::Node node(const std::string& name, std::vector<network::Interface> interfaces) {
  network::Node made;
  made.name = name;
  made.interfaces = std::move(interfaces);
  return made;
}

network::Interface cable(const char* name, const char* address, const char* to, const char* there) {
  network::Interface interface;
  interface.name = name;
  interface.peer = network::Endpoint{to, there};
  interface.addresses.push_back(InterfaceAddress::parse(address).value());
  return interface;
}

/// A probe from `container` by way of `host` to `to`.
void send_from(const Netns& container, const char* to) {
  container.run([&] {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(9);
    ASSERT_EQ(::inet_pton(AF_INET, to, &target.sin_addr), 1);
    ASSERT_GT(::sendto(socket.get(), kPayload.data(), kPayload.size(), 0,
                       reinterpret_cast<const sockaddr*>(&target), sizeof target),
              0);
  });
}

class DropsOnTheWay : public DropTraceTest {
 protected:
  void SetUp() override {
    DropTraceTest::SetUp();
    if (IsSkipped()) return;
    network::Node container = node("container", {cable("eth0", "192.0.2.2/24", "host", "c0")});
    container.routes.push_back({Prefix::parse("0.0.0.0/0").value(), IpAddress::parse("192.0.2.1"), "eth0"});
    network::Node host = node("host", {cable("c0", "192.0.2.1/24", "container", "eth0"),
                                       cable("up0", "198.51.100.1/24", "world", "eth0")});
    host.sysctls = {{"net.ipv4.ip_forward", "1"}};
    network_.build({{container, host, node("world", {cable("eth0", "198.51.100.2/24", "host", "up0")})}});
    for (const auto& [name, netns] : network_.nodes()) sources_.push_back({name, &netns});
  }

  /// Those of a probe to `to`, once there are some.
  std::vector<Drop> drops_of_probe_to(const char* to) {
    DropTrace trace(loop_.get_executor());
    trace.watch(sources_);
    const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
    std::vector<Drop> heard;
    trace.on_news([&] {
      heard = trace.drops(observer_, watch);
      if (!heard.empty()) loop_.stop();
    });
    send_from(network_.netns("container"), to);
    loop_.run_for(kPatience);
    return heard;
  }

  network::LiveNetwork network_;
  std::vector<TraceSource> sources_;
};

TEST_F(DropsOnTheWay, AtAHostThatDoesNotForward) {
  kernel::write_sysctl(network_.netns("host"), "net.ipv4.ip_forward", "0");
  const auto drops = drops_of_probe_to("198.51.100.2");
  ASSERT_FALSE(drops.empty());
  EXPECT_EQ(drops[0].node, "host");
  EXPECT_EQ(drops[0].reason, "IP_INADDRERRORS");
  EXPECT_EQ(drops[0].interface, "c0");
  EXPECT_EQ(drops[0].leg, Leg::forward);
}

// The probe itself waits for the address, and is dropped when there is none.
TEST_F(DropsOnTheWay, WaitingForANeighbourThatDoesNotAnswer) {
  kernel::write_sysctl(network_.netns("host"), "net.ipv4.neigh.up0.mcast_solicit", "1");
  kernel::write_sysctl(network_.netns("host"), "net.ipv4.neigh.up0.retrans_time_ms", "20");
  auto drops = drops_of_probe_to("198.51.100.9");
  std::erase_if(drops, [](const Drop& drop) { return drop.reason != "NEIGH_FAILED"; });
  ASSERT_THAT(drops, SizeIs(1));
  EXPECT_EQ(drops[0].node, "host");
  EXPECT_EQ(drops[0].interface, "up0");
  EXPECT_EQ(drops[0].leg, Leg::forward);
  EXPECT_EQ(drops[0].destination.to_string(), "198.51.100.9");
}

// The one that has waited longest makes room.
TEST_F(DropsOnTheWay, WaitingWhereTooManyWait) {
  kernel::write_sysctl(network_.netns("host"), "net.ipv4.neigh.up0.unres_qlen_bytes", "0");
  kernel::write_sysctl(network_.netns("host"), "net.ipv4.neigh.up0.retrans_time_ms", "60000");
  send_from(network_.netns("container"), "198.51.100.9");
  const auto drops = drops_of_probe_to("198.51.100.9");
  ASSERT_FALSE(drops.empty());
  EXPECT_EQ(drops[0].reason, "NEIGH_QUEUEFULL");
  EXPECT_EQ(drops[0].node, "host");
}

TEST_F(DropsOnTheWay, NoneWhereItArrives) {
  DropTrace trace(loop_.get_executor());
  trace.watch(sources_);
  const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
  const Fd receiver = network_.netns("world").run([] {
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(9);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    return socket;
  });
  send_from(network_.netns("container"), "198.51.100.2");
  std::array<char, 64> received{};
  ASSERT_EQ(::recv(receiver.get(), received.data(), received.size(), 0),
            static_cast<ssize_t>(kPayload.size()));
  trace.drain();
  EXPECT_THAT(trace.drops(observer_, watch), IsEmpty());
}

TEST(DropTraceWithout, SaysWhyNothingIsTold) {
  const auto why = kernel::drops::refused();
  if (!why) GTEST_SKIP() << "this kernel tells drops";
  boost::asio::io_context loop;
  const Netns netns = with_loopback();
  Observer observer;
  const WatchId watch = observer.watch(NonceKey{kNonce, 0, 9});
  DropTrace trace(loop.get_executor());
  trace.watch({{"host", &netns}});
  send_udp(netns, kPayload);
  trace.drain();
  EXPECT_EQ(trace.problem(), why->what());
  EXPECT_THAT(trace.drops(observer, watch), IsEmpty());
  loop.poll();
}

}  // namespace
}  // namespace plumbline::proof
