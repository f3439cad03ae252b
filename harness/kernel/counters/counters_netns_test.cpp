#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/counters/counters.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"

namespace plumbline::kernel::counters {
namespace {

using testing::Contains;
using testing::Pair;
using testing_support::send_udp;
using testing_support::with_loopback;

TEST(ReadCounters, AreTheNamespacesOwn) {
  const Netns one = with_loopback();
  const Netns two = with_loopback();
  const Counters before = read(one);
  const Counters elsewhere = read(two);
  for (int i = 0; i < 3; ++i) send_udp(one, "PL", 9);
  send_udp(one, "PL", 9, true);
  const Counters risen = difference(before, read(one));
  EXPECT_THAT(risen, Contains(Pair("UdpNoPorts", 3)));
  EXPECT_THAT(risen, Contains(Pair("Udp6NoPorts", 1)));
  EXPECT_FALSE(difference(elsewhere, read(two)).contains("UdpNoPorts"));
}

TEST(ReadCounters, KnowsThoseThatNameReasons) {
  const Counters counters = read(Netns::create());
  for (const char* name :
       {"TcpExtIPReversePathFilter", "IpExtInNoRoutes", "IpOutNoRoutes", "IpInAddrErrors", "IpForwDatagrams",
        "IpInHdrErrors", "IpInDiscards", "IpOutDiscards", "Ip6InNoRoutes"}) {
    EXPECT_TRUE(counters.contains(name)) << name;
  }
  EXPECT_FALSE(counters.contains("TcpCurrEstab"));
}

}  // namespace
}  // namespace plumbline::kernel::counters
