#include "harness/engine/check/tcp_connections.hpp"

#include <gtest/gtest.h>

namespace plumbline::engine {
namespace {

TEST(TcpConnections, ReadsWhatTheKernelTellsOfConnections) {
  const auto v4 = parse_tcp_connection(
      "   3: 0100007F:1F91 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 "
      "20 4 30 10 -1");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->local.to_string(), "127.0.0.1");
  EXPECT_EQ(v4->local_port, 8081);
  EXPECT_EQ(v4->remote_port, 50'000);
  EXPECT_EQ(v4->state, TcpConnection::State::established);
  EXPECT_EQ(v4->inode, 4711U);
  // Its client has been answered, and its server not yet.
  const auto halfway = parse_tcp_connection(
      "   4: 0100007F:1F91 0100007F:C352 03 00000000:00000000 01:00000064 00000000     0        0 0 1 0");
  ASSERT_TRUE(halfway);
  EXPECT_EQ(halfway->state, TcpConnection::State::half_open);
  EXPECT_EQ(halfway->inode, 0U);
  const auto mapped = parse_tcp_connection(
      "   0: 0000000000000000FFFF00000A10A8C0:0050 0000000000000000FFFF00000B10A8C0:C351 06 "
      "00000000:00000000 "
      "03:00001770 00000000     0        0 0 3 0");
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->local.to_string(), "192.168.16.10");
  EXPECT_EQ(mapped->state, TcpConnection::State::other);
}

TEST(TcpConnections, AHeadingOrAHalfLineIsNoConnection) {
  EXPECT_FALSE(parse_tcp_connection("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when"));
  EXPECT_FALSE(parse_tcp_connection("   3: 0100007F:1F91 0100007F:C350 01 00000000:00000000"));
  EXPECT_FALSE(parse_tcp_connection(""));
}

}  // namespace
}  // namespace plumbline::engine
