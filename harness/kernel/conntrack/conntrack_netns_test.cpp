#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "harness/base/fd.hpp"
#include "harness/kernel/conntrack/conntrack.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"

namespace plumbline::kernel::conntrack {
namespace {

using testing_support::with_loopback;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

sockaddr_in endpoint(const char* address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &to.sin_addr);
  return to;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT(*-reinterpret-cast): the sockets' interface
}

/// From 127.0.0.1 and a port of the sender's choice.
void send(const Netns& netns, int type, int protocol, std::uint16_t from, const char* to,
          std::uint16_t port) {
  netns.run([&] {
    const Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    const sockaddr_in own = endpoint("127.0.0.1", from);
    const sockaddr_in there = endpoint(to, port);
    ASSERT_EQ(::bind(socket.get(), generic(own), sizeof own), 0);
    if (type == SOCK_STREAM) {
      ::connect(socket.get(), generic(there), sizeof there);
    } else {
      ::sendto(socket.get(), "PL", 2, 0, generic(there), sizeof there);
    }
  });
}

Tuple tuple(std::uint8_t protocol, std::uint16_t from, const char* to, std::uint16_t port) {
  return {ip("127.0.0.1"), ip(to), protocol, from, port, 0, 0, 0};
}

void track(const Netns& netns, const char* nat = "") {
  const std::string text = std::string(
                               "table ip u {\n chain o { type filter hook output priority 0; "
                               "ct state invalid drop; }\n") +
                           nat + "}\n";
  nft::load_text(netns, text, "nft");
}

TEST(Conntrack, ALookUpWhereNothingIsTrackedIsAMiss) {
  const Netns netns = with_loopback();
  Connection connection(netns);
  EXPECT_EQ(connection.look_up(tuple(17, 40001, "127.0.0.1", 9)), std::nullopt);
  EXPECT_EQ(connection.look_up({ip("::1"), ip("::1"), 58, 0, 0, 7, 128, 0}), std::nullopt);
  EXPECT_TRUE(connection.list(IpFamily::v4).entries.empty());
  const auto filled = fill(netns);
  ASSERT_TRUE(filled);
  EXPECT_EQ(filled->count, 0U);
}

TEST(Conntrack, KnowsAFlowByTheTupleOfItsFirstPacket) {
  const Netns netns = with_loopback();
  track(netns);
  Connection connection(netns);
  send(netns, SOCK_DGRAM, 0, 40001, "127.0.0.2", 9);
  const auto found = connection.look_up(tuple(17, 40001, "127.0.0.2", 9));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->confirmed);
  EXPECT_FALSE(found->seen_reply);
  EXPECT_FALSE(found->source_nat || found->destination_nat);
  EXPECT_GT(found->timeout, 0U);
  EXPECT_EQ(found->reply.destination_port, 40001);
  EXPECT_EQ(connection.look_up(tuple(17, 40002, "127.0.0.2", 9)), std::nullopt);
  auto again = look_up(netns, tuple(17, 40001, "127.0.0.2", 9));
  ASSERT_TRUE(again);
  // It counts seconds down, and one may end between the two.
  EXPECT_LE(again->timeout, found->timeout);
  again->timeout = found->timeout;
  EXPECT_EQ(again, found);
  const auto listed = connection.list(IpFamily::v4);
  EXPECT_TRUE(listed.complete);
  EXPECT_THAT(listed.entries, testing::SizeIs(1));
  EXPECT_EQ(fill(netns)->count, 1U);
  EXPECT_GT(fill(netns)->max, 0U);
}

constexpr const char* kDnat =
    " chain d { type nat hook output priority -100; meta l4proto { tcp, udp } th dport 8080 dnat to "
    "127.0.0.3:81; }\n";

TEST(Conntrack, TellsHowADestinationWasTranslated) {
  const Netns netns = with_loopback();
  track(netns, kDnat);
  send(netns, SOCK_DGRAM, 0, 40003, "127.0.0.2", 8080);
  const auto found = look_up(netns, tuple(17, 40003, "127.0.0.2", 8080));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->destination_nat);
  EXPECT_FALSE(found->source_nat);
  EXPECT_EQ(found->reply.source, ip("127.0.0.3"));
  EXPECT_EQ(found->reply.source_port, 81);
  EXPECT_EQ(found->reply.destination_port, 40003);
}

TEST(Conntrack, TellsHowASourceWasTranslated) {
  const Netns netns = with_loopback();
  track(netns, " chain s { type nat hook postrouting priority 100; udp dport 9 snat to 127.0.0.7:1024; }\n");
  send(netns, SOCK_DGRAM, 0, 40004, "127.0.0.2", 9);
  const auto found = look_up(netns, tuple(17, 40004, "127.0.0.2", 9));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->source_nat);
  EXPECT_FALSE(found->destination_nat);
  EXPECT_EQ(found->reply.destination, ip("127.0.0.7"));
  EXPECT_EQ(found->reply.destination_port, 1024);
}

TEST(Conntrack, KnowsAConnectionsState) {
  const Netns netns = with_loopback();
  track(netns, kDnat);
  const Fd listener = netns.run([] {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in own = endpoint("127.0.0.3", 81);
    EXPECT_EQ(::bind(socket.get(), generic(own), sizeof own), 0);
    EXPECT_EQ(::listen(socket.get(), 1), 0);
    return socket;
  });
  send(netns, SOCK_STREAM, 0, 40005, "127.0.0.2", 8080);  // and closes it
  const auto found = look_up(netns, tuple(6, 40005, "127.0.0.2", 8080));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->destination_nat && found->seen_reply && found->assured);
  EXPECT_TRUE(found->tcp_state == TcpState::fin_wait || found->tcp_state == TcpState::close_wait)
      << to_text(found->tcp_state.value_or(TcpState::none));
}

/// nf_conntrack_tcp_packet: "If only reply is a RST, … we can delete the conntrack immediately".
TEST(Conntrack, ForgetsARefusedConnectionAtOnce) {
  const Netns netns = with_loopback();
  track(netns, kDnat);
  send(netns, SOCK_STREAM, 0, 40006, "127.0.0.2", 8080);
  EXPECT_EQ(look_up(netns, tuple(6, 40006, "127.0.0.2", 8080)), std::nullopt);
}

TEST(Conntrack, KnowsEchoes) {
  const Netns netns = with_loopback();
  track(netns);
  std::uint16_t id = 0;
  netns.run([&] {
    const Fd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP));
    ASSERT_TRUE(raw);
    // Type 8, code 0, id 0x1234, sequence 1; the kernel fills in no checksum for raw sockets.
    const std::array<std::uint8_t, 8> echo{8, 0, 0xE5, 0xCA, 0x12, 0x34, 0, 1};
    const sockaddr_in to = endpoint("127.0.0.1", 0);
    ASSERT_EQ(::sendto(raw.get(), echo.data(), echo.size(), 0, generic(to), sizeof to),
              static_cast<ssize_t>(echo.size()));
    id = 0x1234;
  });
  const auto found = look_up(netns, {ip("127.0.0.1"), ip("127.0.0.1"), 1, 0, 0, id, 8, 0});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->seen_reply);
  EXPECT_EQ(found->reply.icmp_type, 0);
}

}  // namespace
}  // namespace plumbline::kernel::conntrack
