#include <gtest/gtest.h>

#include "harness/kernel/links/bridge.hpp"
#include "harness/kernel/links/veth.hpp"
#include "harness/kernel/netlink/testing.hpp"

namespace plumbline::kernel::links {
namespace {

using netlink::testing::cut_everywhere;
using netlink::testing::rewind;

Veth whole_veth() {
  Veth veth;
  veth.end = {"port1", std::nullopt, 7, MacAddress{{2, 0, 0, 0, 0, 1}}, 1400};
  veth.master = 2;
  veth.up = true;
  veth.peer = {"eth0", 12, 3, MacAddress{{2, 0, 0, 0, 0, 2}}, 1300};
  return veth;
}

void expect_same(const VethEnd& left, const VethEnd& right) {
  EXPECT_EQ(left.name, right.name);
  EXPECT_EQ(left.netns_fd, right.netns_fd);
  EXPECT_EQ(left.index, right.index);
  EXPECT_EQ(left.mac, right.mac);
  EXPECT_EQ(left.mtu, right.mtu);
}

TEST(LinkVeth, RoundTrips) {
  const Veth veth = whole_veth();
  const auto decoded = decode_veth(rewind(create(veth)));
  ASSERT_TRUE(decoded);
  expect_same(decoded->end, veth.end);
  expect_same(decoded->peer, veth.peer);
  EXPECT_EQ(decoded->master, veth.master);
  EXPECT_TRUE(decoded->up);
}

TEST(LinkVeth, LeavesOutWhatTheKernelChooses) {
  Veth veth;
  veth.end.name = "a";
  veth.end.netns_fd = 5;
  veth.peer.name = "b";
  const auto decoded = decode_veth(rewind(create(veth)));
  ASSERT_TRUE(decoded);
  expect_same(decoded->end, veth.end);
  expect_same(decoded->peer, veth.peer);
  EXPECT_EQ(decoded->master, 0U);
  EXPECT_FALSE(decoded->up);
}

TEST(LinkVeth, TruncatedIsAbsent) {
  const netlink::Message message = create(whole_veth());
  const std::size_t whole = rewind(message).payload.size();
  cut_everywhere(message, [whole](const netlink::Received& cut) {
    EXPECT_EQ(decode_veth(cut).has_value(), cut.payload.size() == whole) << cut.payload.size();
  });
}

TEST(LinkBridge, RoundTrips) {
  const Bridge bridge{"bridge0", 4, MacAddress{{2, 0, 0, 0, 0, 3}}, 1400, true};
  const netlink::Message message = create(bridge);
  const auto decoded = decode_bridge(rewind(message));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->name, bridge.name);
  EXPECT_EQ(decoded->index, bridge.index);
  EXPECT_EQ(decoded->mac, bridge.mac);
  EXPECT_EQ(decoded->mtu, bridge.mtu);
  EXPECT_TRUE(decoded->up);
  const std::size_t whole = rewind(message).payload.size();
  cut_everywhere(message, [whole](const netlink::Received& cut) {
    EXPECT_EQ(decode_bridge(cut).has_value(), cut.payload.size() == whole) << cut.payload.size();
  });
}

TEST(Links, OneKindIsNotAnother) {
  EXPECT_FALSE(decode_bridge(rewind(create(whole_veth()))));
  EXPECT_FALSE(decode_veth(rewind(create(Bridge{"bridge0"}))));
}

}  // namespace
}  // namespace plumbline::kernel::links
