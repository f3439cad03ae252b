// The kernel's decisions, for packets of the node's own and for those that come in.

#include <gtest/gtest.h>

#include <cerrno>

#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/route.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/rule.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::kernel::netlink {
namespace {

constexpr unsigned kLoopback = 1;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

// A node of one interface, its loopback, with 192.0.2.1 on it.
class LookUp : public ::testing::Test {
 protected:
  LookUp() {
    for (const char* family : {"ipv4.conf.lo", "ipv4.conf.all"}) {
      write_sysctl(netns_, "net." + std::string(family) + ".rp_filter", "0");
    }
    Batch batch("test");
    LinkChange up;
    up.index = kLoopback;
    up.up = true;
    batch.add(set_link(up), [] { return "lo up"; });
    batch.add(add_address({kLoopback, InterfaceAddress::parse("192.0.2.1/32").value()}),
              [] { return "address"; });
    socket_.execute(batch);
  }

  void add(const Route& route) {
    Batch batch("test");
    batch.add(add_route(route), [] { return "route"; });
    socket_.execute(batch);
  }

  LookupResult ask(const char* to, std::optional<IpAddress> from = std::nullopt, unsigned iif = 0,
                   std::uint32_t mark = 0) {
    return look_up(socket_, {ip(to), from, iif, 0, mark});
  }

  Netns netns_ = Netns::create();
  Socket socket_ = Socket::open(netns_);
};

TEST_F(LookUp, SaysWhyThereIsNoRoute) {
  for (const bool v4 : {true, false}) {
    add({prefix(v4 ? "10.0.0.0/8" : "fd01::/16"), std::nullopt, 0, 254, RouteKind::blackhole});
    add({prefix(v4 ? "11.0.0.0/8" : "fd02::/16"), std::nullopt, 0, 254, RouteKind::prohibit});
    add({prefix(v4 ? "12.0.0.0/8" : "fd03::/16"), std::nullopt, 0, 254, RouteKind::unreachable});
    EXPECT_EQ(ask(v4 ? "203.0.113.80" : "fd09::1").error, ENETUNREACH);
    EXPECT_EQ(ask(v4 ? "10.1.1.1" : "fd01::1").error, EINVAL);
    EXPECT_EQ(ask(v4 ? "11.1.1.1" : "fd02::1").error, EACCES);
    EXPECT_EQ(ask(v4 ? "12.1.1.1" : "fd03::1").error, EHOSTUNREACH);
    EXPECT_FALSE(ask(v4 ? "12.1.1.1" : "fd03::1").route);
  }
}

TEST_F(LookUp, FindsTheTableThatTheRulesLeadTo) {
  Route marked{prefix("0.0.0.0/0"), std::nullopt, kLoopback, 88};
  add(marked);
  Batch batch("test");
  Rule rule;
  rule.mark = 0x51;
  rule.table = 88;
  rule.priority = 100;
  batch.add(add_rule(rule), [] { return "rule"; });
  socket_.execute(batch);
  EXPECT_EQ(ask("203.0.113.80").error, ENETUNREACH);
  const LookupResult result = ask("203.0.113.80", std::nullopt, 0, 0x51);
  ASSERT_TRUE(result.route) << result.error;
  EXPECT_EQ(result.route->type, LookupType::unicast);
  EXPECT_EQ(result.route->table, 88U);
  EXPECT_EQ(result.route->dev, kLoopback);
  EXPECT_EQ(result.route->via, std::nullopt);
  EXPECT_EQ(result.route->source, ip("192.0.2.1"));
}

TEST_F(LookUp, TellsLocalDelivery) {
  for (const char* own : {"192.0.2.1", "::1"}) {
    const LookupResult result = ask(own);
    ASSERT_TRUE(result.route) << own;
    EXPECT_EQ(result.route->type, LookupType::local);
    EXPECT_EQ(result.route->table, 255U) << own;
  }
}

TEST_F(LookUp, OfAPacketThatComesInNeedsForwarding) {
  add({prefix("203.0.113.0/24"), std::nullopt, kLoopback, 88});
  Batch batch("test");
  Rule rule;
  rule.iif = "lo";
  rule.table = 88;
  rule.priority = 100;
  batch.add(add_rule(rule), [] { return "rule"; });
  socket_.execute(batch);
  write_sysctl(netns_, "net.ipv4.ip_forward", "0");
  const IpAddress sender = ip("198.51.100.9");
  EXPECT_EQ(ask("198.51.100.1", sender, kLoopback).error, EHOSTUNREACH);
  write_sysctl(netns_, "net.ipv4.ip_forward", "1");
  EXPECT_EQ(ask("198.51.100.1", sender, kLoopback).error, ENETUNREACH);
  const LookupResult result = ask("203.0.113.80", sender, kLoopback);
  ASSERT_TRUE(result.route) << result.error;
  EXPECT_EQ(result.route->table, 88U);
  EXPECT_EQ(result.route->source, std::nullopt);
}

TEST_F(LookUp, AnInterfaceThatIsNotThereIsAnError) {
  EXPECT_THROW(ask("203.0.113.80", std::nullopt, 99), Error);
}

}  // namespace
}  // namespace plumbline::kernel::netlink
