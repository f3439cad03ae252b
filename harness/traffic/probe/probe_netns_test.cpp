#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include <cerrno>
#include <set>
#include <string>

#include "harness/base/error.hpp"
#include "harness/network/service/tcp_service.hpp"
#include "harness/network/service/udp_service.hpp"
#include "harness/traffic/probe/probe.hpp"
#include "harness/traffic/probe/testing.hpp"

namespace plumbline::traffic {
namespace {

using Status = ProbeOutcome::Status;
using std::chrono::milliseconds;

// Never reached where something is to come back.
constexpr milliseconds kGenerous{10'000};
constexpr milliseconds kShort{50};

constexpr const char* kV4 = "203.0.113.80";
constexpr const char* kV6 = "2001:db8:ffff::80";

boost::asio::awaitable<void> hang_up(std::shared_ptr<network::detail::Connection> connection) {
  connection->close();
  co_return;
}

class ProbeTest : public ::testing::Test {
 protected:
  ProbeRequest request(Protocol protocol, const char* to, milliseconds timeout = kGenerous) const {
    ProbeRequest wanted;
    wanted.from = &cable_.here();
    wanted.protocol = protocol;
    wanted.to = *IpAddress::parse(to);
    wanted.port = 7;
    wanted.nonce = next_nonce();
    wanted.timeout = timeout;
    return wanted;
  }

  ProbeOutcome run(ProbeRequest wanted) {
    announced_ = 0;
    return testing::run_task(context_, probe(wanted, [this](const ProbeIdentity& identity) {
                               ++announced_;
                               identity_ = identity;
                             }));
  }
  ProbeOutcome run(Protocol protocol, const char* to, milliseconds timeout = kGenerous) {
    return run(request(protocol, to, timeout));
  }

  void expect_icmp(const ProbeOutcome& outcome, int type, int code, const char* from) {
    EXPECT_EQ(outcome.status, Status::icmp_error) << to_text(outcome);
    ASSERT_TRUE(outcome.icmp);
    EXPECT_EQ(outcome.icmp->type, type);
    EXPECT_EQ(outcome.icmp->code, code);
    EXPECT_EQ(outcome.icmp->from.to_string(), from);
    EXPECT_EQ(outcome.icmp->v6, !outcome.icmp->from.is_v4());
  }
  void expect_local(const ProbeOutcome& outcome, int error) {
    EXPECT_EQ(outcome.status, Status::local_error) << to_text(outcome);
    EXPECT_EQ(outcome.error_number, error) << to_text(outcome);
    EXPECT_EQ(announced_, 1);
  }
  void rules(const kernel::Netns& node, const std::string& text) {
    testing::must_run(node, "nft '" + text + "'");
  }

  testing::Cable cable_;
  boost::asio::io_context context_;
  int announced_ = 0;
  ProbeIdentity identity_;
};

TEST_F(ProbeTest, PingIsReplied) {
  for (const auto& [to, source] : {std::pair{kV4, "192.0.2.1"}, std::pair{kV6, "2001:db8::1"}}) {
    const ProbeOutcome outcome = run(Protocol::ping, to);
    EXPECT_EQ(outcome.status, Status::replied) << to_text(outcome);
    EXPECT_EQ(announced_, 1);
    EXPECT_EQ(identity_.source.to_string(), source);
    EXPECT_EQ(outcome.identity.source, identity_.source);
    EXPECT_GT(outcome.duration.count(), 0);
  }
}

TEST_F(ProbeTest, UdpIsReplied) {
  const auto server = network::serve_udp_echo(context_.get_executor(), cable_.there(), 7);
  for (const auto& [to, source] : {std::pair{kV4, "192.0.2.1"}, std::pair{kV6, "2001:db8::1"}}) {
    const ProbeRequest wanted = request(Protocol::udp, to);
    const ProbeOutcome outcome = run(wanted);
    EXPECT_EQ(outcome.status, Status::replied) << to_text(outcome);
    EXPECT_EQ(outcome.identity.source.to_string(), source);
    EXPECT_EQ(identity_.source_port, outcome.identity.source_port);
    EXPECT_EQ(server->requests().back().client_port, identity_.source_port);
    EXPECT_EQ(server->requests().back().client, identity_.source);
    EXPECT_EQ(server->requests().back().text.substr(0, 2), "PL");
  }
}

TEST_F(ProbeTest, PayloadMayBeLargerThanThePath) {
  const auto server = network::serve_udp_echo(context_.get_executor(), cable_.there(), 7);
  for (const Protocol protocol : {Protocol::udp, Protocol::ping}) {
    for (const char* to : {kV4, kV6}) {
      ProbeRequest wanted = request(protocol, to);
      wanted.payload_bytes = 4000;
      EXPECT_EQ(run(wanted).status, Status::replied);
    }
  }
}

TEST_F(ProbeTest, TcpEchoAndHandshakeAloneAreReplied) {
  const auto server = network::serve_tcp_echo(context_.get_executor(), cable_.there(), 7);
  for (const char* to : {kV4, kV6}) {
    for (const bool exchange : {true, false}) {
      ProbeRequest wanted = request(Protocol::tcp, to);
      wanted.exchange = exchange;
      const ProbeOutcome outcome = run(wanted);
      EXPECT_EQ(outcome.status, Status::replied) << to_text(outcome);
      EXPECT_EQ(announced_, 1);
      EXPECT_EQ(identity_.source, outcome.identity.source);
      EXPECT_EQ(identity_.source_port, outcome.identity.source_port);
      EXPECT_FALSE(outcome.seen_as);
    }
  }
}

TEST_F(ProbeTest, HttpSaysWhoTheClientIs) {
  const auto server = network::serve_http(context_.get_executor(), cable_.there(), 7);
  // As a masquerading neighbour would: the far end sees another source than the probe has.
  rules(cable_.there(),
        "add table ip nat; add chain ip nat in { type nat hook input priority 100; }; "
        "add rule ip nat in tcp dport 7 snat to 192.0.2.99");
  const ProbeOutcome outcome = run(Protocol::tcp, kV4);
  EXPECT_EQ(outcome.status, Status::replied) << to_text(outcome);
  EXPECT_EQ(outcome.identity.source.to_string(), "192.0.2.1");
  ASSERT_TRUE(outcome.seen_as);
  EXPECT_EQ(outcome.seen_as->to_string(), "192.0.2.99");
  EXPECT_EQ(run(Protocol::tcp, kV6).seen_as, IpAddress::parse("2001:db8::1"));
}

TEST_F(ProbeTest, TcpClosesInOrder) {
  const auto server = network::serve_http(context_.get_executor(), cable_.there(), 7);
  rules(cable_.here(),
        "add table ip t; add chain ip t o { type filter hook output priority 0; }; "
        "add rule ip t o tcp flags rst counter; add rule ip t o tcp flags fin counter");
  EXPECT_EQ(run(Protocol::tcp, kV4).status, Status::replied);
  const std::string counted = testing::run_tool(cable_.here(), "nft list ruleset").output;
  EXPECT_THAT(counted, ::testing::ContainsRegex("rst counter packets 0"));
  EXPECT_THAT(counted, ::testing::ContainsRegex("fin counter packets 1"));
}

TEST_F(ProbeTest, TcpServerOfAnotherKindIsNoAnswer) {
  // To a DNS server the request is the beginning of a long message, whose end it awaits.
  const auto dns = network::serve_dns(context_.get_executor(), cable_.there(), 7, {});
  const ProbeOutcome outcome = run(Protocol::tcp, kV4, milliseconds(200));
  EXPECT_EQ(outcome.status, Status::no_answer) << to_text(outcome);
  EXPECT_EQ(outcome.error_number, 0);
}

TEST_F(ProbeTest, TcpServerThatClosesWithoutAWordIsNoAnswer) {
  const auto mute = network::detail::TcpService::start(
      context_.get_executor(), network::detail::listen_tcp(cable_.there(), 7),
      std::make_shared<network::detail::RequestLog>(), hang_up);
  const ProbeOutcome outcome = run(Protocol::tcp, kV4);
  EXPECT_EQ(outcome.status, Status::no_answer) << to_text(outcome);
  mute->close();
}

TEST_F(ProbeTest, ChosenSourceIsUsed) {
  testing::must_run(cable_.here(), "ip addr add 192.0.2.77/24 dev cable");
  const auto udp = network::serve_udp_echo(context_.get_executor(), cable_.there(), 7);
  const auto tcp = network::serve_http(context_.get_executor(), cable_.there(), 7);
  for (const Protocol protocol : {Protocol::ping, Protocol::udp, Protocol::tcp}) {
    ProbeRequest wanted = request(protocol, kV4);
    wanted.source = IpAddress::parse("192.0.2.77");
    const ProbeOutcome outcome = run(wanted);
    EXPECT_EQ(outcome.status, Status::replied) << to_text(outcome);
    EXPECT_EQ(identity_.source.to_string(), "192.0.2.77");
    if (protocol == Protocol::tcp) {
      EXPECT_EQ(outcome.seen_as, wanted.source);
    }
    wanted.source = IpAddress::parse("192.0.2.78");
    expect_local(run(wanted), EADDRNOTAVAIL);
  }
}

TEST_F(ProbeTest, TcpSynCarriesTheNumberThatWasAnnounced) {
  std::set<std::uint32_t> announced;
  for (const char* to : {kV4, kV6}) {
    const auto outcome = testing::run_task(
        context_, probe(request(Protocol::tcp, to), [&](const ProbeIdentity& identity) {
          ASSERT_TRUE(identity.initial_sequence);
          announced.insert(*identity.initial_sequence);
          testing::must_run(cable_.there(),
                            "nft 'table inet known { chain input { type filter hook input priority 0; "
                            "policy drop; tcp sequence " +
                                std::to_string(*identity.initial_sequence) +
                                " reject with tcp reset; icmpv6 type nd-neighbor-solicit accept; }; }'");
        }));
    EXPECT_EQ(outcome.status, Status::refused) << to_text(outcome);
    testing::must_run(cable_.there(), "nft delete table inet known");
  }
  EXPECT_EQ(announced.size(), 2U);
}

TEST_F(ProbeTest, NoRouteIsALocalError) {
  for (const Protocol protocol : {Protocol::ping, Protocol::udp, Protocol::tcp}) {
    for (const char* to : {"198.51.100.1", "2001:db8:dead::1"}) {
      expect_local(run(protocol, to), ENETUNREACH);
      EXPECT_TRUE(identity_.source.is_unspecified());
      EXPECT_EQ(identity_.source.is_v4(), std::string_view(to).find(':') == std::string_view::npos);
    }
  }
}

TEST_F(ProbeTest, SpecialRoutesAreLocalErrors) {
  testing::must_run(cable_.here(),
                    "ip route add prohibit 198.51.100.1; ip route add blackhole 198.51.100.2; "
                    "ip route add unreachable 198.51.100.3");
  for (const Protocol protocol : {Protocol::ping, Protocol::udp, Protocol::tcp}) {
    expect_local(run(protocol, "198.51.100.1"), EACCES);
    expect_local(run(protocol, "198.51.100.2"), EINVAL);
    expect_local(run(protocol, "198.51.100.3"), EHOSTUNREACH);
  }
}

TEST_F(ProbeTest, ClosedUdpPortIsPortUnreachable) {
  expect_icmp(run(Protocol::udp, kV4), 3, 3, kV4);
  expect_icmp(run(Protocol::udp, kV6), 1, 4, kV6);
}

TEST_F(ProbeTest, ClosedTcpPortIsRefused) {
  for (const char* to : {kV4, kV6}) EXPECT_EQ(run(Protocol::tcp, to).status, Status::refused);
}

class RejectTest : public ProbeTest, public ::testing::WithParamInterface<Protocol> {};

TEST_P(RejectTest, PeersRejectIsReadWithItsSender) {
  rules(cable_.there(),
        "add table inet f; add chain inet f in { type filter hook input priority 0; }; "
        "add rule inet f in ip daddr 203.0.113.80 reject with icmp admin-prohibited; "
        "add rule inet f in ip6 daddr 2001:db8:ffff::80 reject with icmpv6 admin-prohibited");
  // The sender is the address that was asked, since that is the peer's own.
  expect_icmp(run(GetParam(), kV4), 3, 13, kV4);
  expect_icmp(run(GetParam(), kV6), 1, 1, kV6);
}

TEST_P(RejectTest, RoutersRejectIsReadWithItsSender) {
  testing::must_run(cable_.there(),
                    "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
                    "ip route add 203.0.113.0/24 dev lo; ip route add 2001:db8:ffff::/48 dev lo");
  rules(cable_.there(),
        "add table inet f; add chain inet f passing { type filter hook forward priority 0; }; "
        "add rule inet f passing ip daddr 203.0.113.9 reject with icmp host-prohibited; "
        "add rule inet f passing ip6 daddr 2001:db8:ffff::9 reject with icmpv6 no-route");
  expect_icmp(run(GetParam(), "203.0.113.9"), 3, 10, "192.0.2.2");
  expect_icmp(run(GetParam(), "2001:db8:ffff::9"), 1, 0, "2001:db8::2");
}

TEST_P(RejectTest, OwnRejectIsReadToo) {
  rules(cable_.here(),
        "add table inet f; add chain inet f out { type filter hook output priority 0; }; "
        "add rule inet f out ip daddr 203.0.113.80 reject with icmp admin-prohibited");
  expect_icmp(run(GetParam(), kV4), 3, 13, "192.0.2.1");
}

TEST_P(RejectTest, SilenceIsTimeout) {
  rules(cable_.there(),
        "add table inet f; add chain inet f in { type filter hook input priority 0; }; "
        "add rule inet f in ip daddr 203.0.113.80 drop; add rule inet f in ip6 daddr 2001:db8:ffff::80 drop");
  for (const char* to : {kV4, kV6}) {
    const ProbeOutcome outcome = run(GetParam(), to, kShort);
    EXPECT_EQ(outcome.status, Status::timeout) << to_text(outcome);
    EXPECT_GE(outcome.duration, kShort);
    EXPECT_EQ(announced_, 1);
  }
}

TEST_P(RejectTest, AbsentNeighbourIsHostUnreachable) {
  // Resolution fails after the kernel's own attempts; the error comes from the node itself.
  testing::must_run(
      cable_.here(),
      "sysctl -qw net.ipv4.neigh.cable.mcast_solicit=1 net.ipv4.neigh.cable.retrans_time_ms=50");
  expect_icmp(run(GetParam(), "192.0.2.200"), 3, 1, "192.0.2.1");
}

std::string protocol_name(const ::testing::TestParamInfo<Protocol>& info) {
  switch (info.param) {
    case Protocol::ping:
      return "Ping";
    case Protocol::udp:
      return "Udp";
    case Protocol::tcp:
      return "Tcp";
  }
  return "Unknown";
}

INSTANTIATE_TEST_SUITE_P(Every, RejectTest, ::testing::Values(Protocol::ping, Protocol::udp, Protocol::tcp),
                         protocol_name);

TEST_F(ProbeTest, TcpResetByARuleIsRefused) {
  rules(cable_.there(),
        "add table inet f; add chain inet f in { type filter hook input priority 0; }; "
        "add rule inet f in tcp dport 7 reject with tcp reset");
  for (const char* to : {kV4, kV6}) EXPECT_EQ(run(Protocol::tcp, to).status, Status::refused);
}

TEST_F(ProbeTest, OutputDropIsALocalErrorWhereTheKernelSays) {
  rules(cable_.here(),
        "add table inet f; add chain inet f out { type filter hook output priority 0; policy drop; }");
  for (const char* to : {kV4, kV6}) {
    expect_local(run(Protocol::udp, to), EPERM);
    expect_local(run(Protocol::ping, to), EPERM);
    // TCP takes a lost SYN for a lost packet, and would repeat it.
    EXPECT_EQ(run(Protocol::tcp, to, kShort).status, Status::timeout);
  }
}

TEST_F(ProbeTest, AnotherPayloadIsNoReply) {
  const auto forger = network::detail::UdpService::start(
      context_.get_executor(), network::detail::bind_udp(cable_.there(), 7),
      std::make_shared<network::detail::RequestLog>(), [](auto datagram) {
        network::detail::Bytes bytes(datagram.begin(), datagram.end());
        bytes[7] ^= 1;
        return network::detail::UdpReply{std::move(bytes), {}};
      });
  EXPECT_EQ(run(Protocol::udp, kV4, kShort).status, Status::timeout);
  forger->close();
}

boost::asio::awaitable<void> probe_into(ProbeRequest wanted, std::vector<ProbeOutcome>& outcomes) {
  outcomes.push_back(co_await probe(wanted, {}));
}

TEST_F(ProbeTest, ManyAtOnceAreAllRepliedAndAllDifferent) {
  const auto udp = network::serve_udp_echo(context_.get_executor(), cable_.there(), 7);
  const auto tcp = network::serve_tcp_echo(context_.get_executor(), cable_.there(), 7);
  for (const Protocol protocol : {Protocol::ping, Protocol::udp, Protocol::tcp}) {
    std::vector<ProbeOutcome> outcomes;
    // A TCP connection takes descriptors at both ends, of the 1024 that a process usually may have.
    const std::size_t count = protocol == Protocol::tcp ? 250 : 500;
    for (std::size_t i = 0; i < count; ++i) {
      const ProbeRequest wanted = request(protocol, i % 2 == 0 ? kV4 : kV6);
      boost::asio::co_spawn(context_, probe_into(wanted, outcomes), [&](std::exception_ptr problem) {
        EXPECT_FALSE(problem);
        if (outcomes.size() == count) context_.stop();
      });
    }
    context_.restart();
    context_.run();
    std::set<std::uint16_t> ports;
    for (const ProbeOutcome& outcome : outcomes) {
      EXPECT_EQ(outcome.status, Status::replied) << to_text(outcome);
      ports.insert(outcome.identity.source_port);
    }
    EXPECT_EQ(ports.size(), count);
  }
}

TEST_F(ProbeTest, ManyPingsRejectedAtOnceEachHearTheirOwn) {
  testing::must_run(cable_.there(),
                    "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 "
                    "net.ipv4.icmp_msgs_burst=100000 2>/dev/null || true");
  rules(cable_.there(),
        "add table ip f; add chain ip f in { type filter hook input priority 0; }; "
        "add rule ip f in ip daddr 203.0.113.80 reject with icmp admin-prohibited");
  std::vector<ProbeOutcome> outcomes;
  constexpr std::size_t kEach = 30;
  for (std::size_t i = 0; i < kEach; ++i) {
    boost::asio::co_spawn(context_, probe_into(request(Protocol::ping, kV4), outcomes),
                          [&](std::exception_ptr problem) {
                            EXPECT_FALSE(problem);
                            if (outcomes.size() == kEach) context_.stop();
                          });
  }
  context_.restart();
  context_.run();
  for (const ProbeOutcome& outcome : outcomes) expect_icmp(outcome, 3, 13, kV4);
}

TEST_F(ProbeTest, EventLoopMayEndWhileProbesWait) {
  auto context = std::make_unique<boost::asio::io_context>();
  rules(cable_.there(),
        "add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }");
  int sent = 0;
  for (const Protocol protocol : {Protocol::ping, Protocol::udp, Protocol::tcp}) {
    boost::asio::co_spawn(
        *context, probe(request(protocol, kV4), [&](const ProbeIdentity&) { ++sent; }),
        [](std::exception_ptr, const ProbeOutcome&) { FAIL() << "the loop was to end first"; });
  }
  context->poll();
  EXPECT_EQ(sent, 3);
  context.reset();
  EXPECT_EQ(testing::run_tool(cable_.here(), "ss -Hanuwt").output, "");
}

TEST_F(ProbeTest, WhatReadyThrowsComesThrough) {
  for (const Protocol protocol : {Protocol::ping, Protocol::udp, Protocol::tcp}) {
    EXPECT_THROW(testing::run_task(context_, probe(request(protocol, kV4),
                                                   [](const ProbeIdentity&) { throw Error("no capture"); })),
                 Error);
  }
}

TEST_F(ProbeTest, ReachesALinkLocalAddressThroughItsInterface) {
  testing::must_run(cable_.there(), "ip addr add fe80::1234/64 dev cable nodad");
  testing::must_run(cable_.here(), "ip addr add fe80::1/64 dev cable nodad");
  unsigned scope = 0;
  {
    const auto inside = cable_.here().enter();
    scope = ::if_nametoindex("cable");
  }
  const auto udp = network::serve_udp_echo(context_.get_executor(), cable_.there(), 7);
  const auto tcp = network::serve_tcp_echo(context_.get_executor(), cable_.there(), 7);
  for (const Protocol protocol : {Protocol::ping, Protocol::udp, Protocol::tcp}) {
    ProbeRequest wanted = request(protocol, "fe80::1234");
    wanted.scope = scope;
    const ProbeOutcome outcome = run(wanted);
    EXPECT_EQ(outcome.status, Status::replied) << to_text(outcome);
    EXPECT_TRUE(outcome.identity.source.is_link_local()) << outcome.identity.source.to_string();
    expect_local(run(request(protocol, "fe80::1234")), EINVAL);
  }
}

}  // namespace
}  // namespace plumbline::traffic
