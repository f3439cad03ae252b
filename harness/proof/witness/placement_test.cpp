#include "harness/proof/witness/placement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/proof/witness/testing/exchange.hpp"

namespace plumbline::proof {
namespace {

using testing::ack;
using ::testing::ElementsAre;
using testing::Exchange;
using testing::reversed;
using testing::syn;
using testing::tcp;
using testing::udp;

const traffic::Packet kProbe = udp("192.168.99.11", "203.0.113.80");
const traffic::Packet kForwarded = udp("192.168.99.11", "203.0.113.80", 63);
const traffic::Packet kTranslated = udp("192.168.16.10", "203.0.113.80", 63);

std::vector<std::size_t> passages(const Exchange& exchange) {
  return place(exchange.journey, exchange.path).passages;
}
std::vector<std::size_t> drops(const Exchange& exchange) {
  return place(exchange.journey, exchange.path).drops;
}

/// Into the host by a port of its bridge.
Exchange to_host() {
  Exchange exchange;
  exchange.out("c1", "eth0", kProbe).in("host", "veth1", kProbe).in("host", "bridge0", kProbe);
  return exchange;
}

TEST(Placement, OfAForwardedAndTranslatedPacketIsBetweenItsComingAndItsLeaving) {
  Exchange exchange = to_host();
  exchange.out("host", "ens4", kTranslated)
      .in("internet", "eth0", kTranslated)
      .hook("host", Hook::prerouting, "bridge0", "", kProbe)
      .hook("host", Hook::forward, "bridge0", "ens4", kForwarded)
      .hook("host", Hook::postrouting, "", "ens4", kForwarded);
  EXPECT_THAT(passages(exchange), ElementsAre(3, 3, 3));
}

TEST(Placement, OfAFrameThatIsBridgedIsAfterThePort) {
  Exchange exchange;
  exchange.out("c1", "eth0", kProbe)
      .seen(Leg::forward, "host", "veth1", traffic::Direction::other_host, kProbe)
      .out("host", "veth2", kProbe)
      .in("c2", "eth0", kProbe)
      .hook("host", Hook::prerouting, "bridge0", "", kProbe)
      .hook("host", Hook::forward, "bridge0", "bridge0", kProbe)
      .hook("host", Hook::postrouting, "", "bridge0", kProbe);
  EXPECT_THAT(passages(exchange), ElementsAre(2, 2, 2));
}

TEST(Placement, OfWhatIsDroppedOnItsWayThrough) {
  Exchange exchange = to_host();
  exchange.hook("host", Hook::prerouting, "bridge0", "", kProbe)
      .hook("host", Hook::forward, "bridge0", "ens4", kForwarded, "drop")
      .drop("host", "NETFILTER_DROP", "nft_do_chain");
  EXPECT_THAT(passages(exchange), ElementsAre(3, 3));
  EXPECT_THAT(drops(exchange), ElementsAre(3));
}

TEST(Placement, OfWhatIsDroppedInItsOwnNodeIsBeforeAll) {
  Exchange exchange;
  exchange.hook("c1", Hook::output, "", "eth0", kProbe, "drop").drop("c1", "NETFILTER_DROP", "nft_do_chain");
  EXPECT_THAT(passages(exchange), ElementsAre(0));
  EXPECT_THAT(drops(exchange), ElementsAre(0));
}

TEST(Placement, OfAnAnswerThatIsDroppedOnArrival) {
  Exchange exchange = to_host();
  exchange.out("host", "ens4", kTranslated)
      .in("internet", "eth0", kTranslated)
      .out("internet", "eth0", reversed(kTranslated), Leg::reply)
      .in("host", "ens4", reversed(kTranslated), Leg::reply)
      .hook("internet", Hook::output, "", "eth0", reversed(kTranslated), "", Leg::reply)
      .hook("host", Hook::prerouting, "ens4", "", reversed(kTranslated), "", Leg::reply)
      .hook("host", Hook::input, "ens4", "", reversed(kTranslated), "drop", Leg::reply);
  EXPECT_THAT(passages(exchange), ElementsAre(5, 7, 7));
}

TEST(Placement, OfAnAnswerThatNeverLeftIsAfterWhatItAnswers) {
  Exchange exchange = to_host();
  exchange.in("internet", "eth0", kProbe)
      .hook("internet", Hook::output, "", "eth0", reversed(kProbe), "drop", Leg::reply);
  EXPECT_THAT(passages(exchange), ElementsAre(4));
}

TEST(Placement, TellsRetransmissionsApart) {
  const auto sent = [](std::uint16_t id) { return tcp("10.0.0.1", "10.0.0.2", syn(1000), id); };
  Exchange exchange;
  exchange.out("a", "eth0", sent(1)).in("host", "veth1", sent(1));
  exchange.out("a", "eth0", sent(2)).in("host", "veth1", sent(2));
  for (const std::uint16_t id : {std::uint16_t{1}, std::uint16_t{2}}) {
    exchange.hook("host", Hook::prerouting, "veth1", "", sent(id))
        .hook("host", Hook::forward, "veth1", "ens4", sent(id), "drop");
  }
  EXPECT_THAT(passages(exchange), ElementsAre(2, 2, 4, 4));
}

TEST(Placement, TakesWhatLooksTheSameInItsOrder) {
  Exchange exchange;
  for (int i = 0; i < 2; ++i) exchange.out("a", "eth0", kProbe).in("host", "veth1", kProbe);
  for (int i = 0; i < 2; ++i) exchange.hook("host", Hook::prerouting, "veth1", "", kProbe);
  EXPECT_THAT(passages(exchange), ElementsAre(2, 4));
}

TEST(Placement, OfTheFirstSendingThatNeverLeftIsBeforeTheSecond) {
  const auto sent = [](std::uint16_t id) { return tcp("10.0.0.1", "10.0.0.2", syn(1000), id); };
  Exchange exchange;
  exchange.out("a", "eth0", sent(2)).in("host", "veth1", sent(2));
  exchange.hook("a", Hook::output, "", "eth0", sent(1), "drop").hook("a", Hook::output, "", "eth0", sent(2));
  EXPECT_THAT(passages(exchange), ElementsAre(0, 0));
}

TEST(Placement, OnALoopbackIsOnEitherSideOfTheOneSighting) {
  Exchange exchange;
  exchange.in("a", "lo", kProbe)
      .hook("a", Hook::output, "", "lo", kProbe)
      .hook("a", Hook::postrouting, "", "lo", kProbe)
      .hook("a", Hook::prerouting, "lo", "", kProbe)
      .hook("a", Hook::input, "lo", "", kProbe);
  EXPECT_THAT(passages(exchange), ElementsAre(0, 0, 1, 1));
}

TEST(Placement, WithoutIdentityGoesByNodeAndInterface) {
  Exchange exchange = to_host();
  exchange.hook("host", Hook::prerouting, "bridge0", "", kProbe);
  exchange.path.passages.back().identity.reset();
  EXPECT_THAT(passages(exchange), ElementsAre(3));
}

TEST(Placement, OfADropIsByTime) {
  Exchange exchange = to_host();
  exchange.drop("host", "IP_RPFILTER", "ip_rcv_finish").out("c1", "eth0", kProbe);
  EXPECT_THAT(drops(exchange), ElementsAre(3));
  exchange.path.drops.front().time_ns = 0;
  EXPECT_THAT(drops(exchange), ElementsAre(3)) << "after it was last seen there";
}

}  // namespace
}  // namespace plumbline::proof
