#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netlink/xfrm.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::kernel::netlink {
namespace {

TEST(Xfrm, ReadsWhatIpMade) {
  const Netns netns = Netns::create();
  bool has_state = false;
  {
    const auto inside = netns.enter();
    if (std::system("ip xfrm policy 2>/dev/null") != 0) GTEST_SKIP() << "a kernel without IPsec";
    ASSERT_EQ(std::system("ip xfrm policy add src 10.88.0.2/32 dst 10.1.0.0/16 dir out action block"), 0);
    ASSERT_EQ(std::system("ip xfrm policy add src fd00::/64 dst fd01::/64 dir in action allow"), 0);
    has_state = std::system(
                    "ip xfrm state add src 10.88.0.2 dst 10.1.0.1 proto esp spi 0x123 "
                    "enc ecb\\(cipher_null\\) '' auth digest_null '' 2>/dev/null") == 0;
  }
  Socket socket = Socket::open_xfrm(netns);
  const auto policies = socket.dump(get_xfrm_policies(), "policies", decode_xfrm_policy);
  ASSERT_EQ(policies.size(), 2U);
  const XfrmPolicy& first = policies[0].blocks ? policies[0] : policies[1];
  EXPECT_EQ(first.from.to_string(), "10.88.0.2/32");
  EXPECT_EQ(first.to.to_string(), "10.1.0.0/16");
  EXPECT_EQ(first.direction, "out");
  const auto states = socket.dump(get_xfrm_states(), "states", decode_xfrm_state);
  if (!has_state) return;  // a kernel without ESP
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0].from.to_string(), "10.88.0.2");
  EXPECT_EQ(states[0].to.to_string(), "10.1.0.1");
  EXPECT_EQ(states[0].spi, 0x123U);
}

}  // namespace
}  // namespace plumbline::kernel::netlink
