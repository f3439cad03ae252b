// Each object's request is written, rewound and read back, and read cut at every length.

#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/family.hpp"
#include "harness/kernel/netlink/fdb.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/nsid.hpp"
#include "harness/kernel/netlink/route.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/rule.hpp"
#include "harness/kernel/netlink/testing.hpp"

namespace plumbline::kernel::netlink {
namespace {

using testing::cut_everywhere;
using testing::rewind;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

TEST(Address, RoundTrips) {
  for (const char* text : {"192.168.99.1/24", "2001:db8::1/64", "10.0.0.1/32", "127.0.0.53/8"}) {
    const Message message = add_address({7, InterfaceAddress::parse(text).value()});
    const auto address = decode_address(rewind(message));
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->address.to_string(), text);
    EXPECT_EQ(address->index, 7U);
    EXPECT_FALSE(address->tentative);
    cut_everywhere(message, [](const Received& cut) { decode_address(cut); });
  }
}

TEST(Address, PrefixLongerThanItsFamilyIsRefused) {
  ifaddrmsg header{};
  header.ifa_family = 2;  // AF_INET
  header.ifa_prefixlen = 64;
  Message message(RTM_NEWADDR, 0, header);
  message.put_ip(IFA_LOCAL, ip("10.0.0.1"));
  EXPECT_FALSE(decode_address(rewind(message)));
}

void expect_round_trip(const Route& route) {
  const Message message = add_route(route);
  const auto decoded = decode_routes(rewind(message));
  ASSERT_TRUE(decoded);
  ASSERT_EQ(decoded->size(), 1U);
  EXPECT_EQ(decoded->front().to, route.to);
  EXPECT_EQ(decoded->front().via, route.via);
  EXPECT_EQ(decoded->front().dev, route.dev);
  EXPECT_EQ(decoded->front().table, route.table);
  EXPECT_EQ(decoded->front().kind, route.kind);
  EXPECT_EQ(decoded->front().source, route.source);
  EXPECT_EQ(decoded->front().metric, route.metric);
  EXPECT_FALSE(decoded->front().automatic);
  cut_everywhere(message, [](const Received& cut) { decode_routes(cut); });
}

TEST(Route, RoundTrips) {
  expect_round_trip({prefix("0.0.0.0/0"), ip("192.168.99.1"), 2});
  expect_round_trip({prefix("10.0.0.0/8"), std::nullopt, 2, 88, RouteKind::unicast, ip("10.0.0.1"), 50});
  expect_round_trip({prefix("10.0.0.0/8"), std::nullopt, 0, 70000, RouteKind::blackhole});
  expect_round_trip({prefix("172.16.0.0/12"), std::nullopt, 1, 255, RouteKind::local});
  expect_round_trip({prefix("2001:db8::/32"), ip("fe80::1"), 3, 254, RouteKind::unicast, std::nullopt, 9});
  expect_round_trip({prefix("fd00::/8"), std::nullopt, 0, 254, RouteKind::prohibit});
  expect_round_trip({prefix("203.0.113.0/24"), ip("fe80::1"), 3});  // IPv4 by an IPv6 next hop
}

TEST(Route, EveryNextHopIsARoute) {
  rtmsg header{};
  header.rtm_family = 2;  // AF_INET
  header.rtm_type = RTN_UNICAST;
  header.rtm_table = RT_TABLE_MAIN;
  Message message(RTM_NEWROUTE, 0, header);
  std::vector<std::uint8_t> hops;
  for (const int index : {3, 4}) {
    const rtnexthop hop{sizeof(rtnexthop), 0, 0, index};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&hop);
    hops.insert(hops.end(), bytes, bytes + sizeof hop);
  }
  message.put(RTA_MULTIPATH, hops);
  const auto routes = decode_routes(rewind(message));
  ASSERT_TRUE(routes);
  ASSERT_EQ(routes->size(), 2U);
  EXPECT_EQ((*routes)[0].dev, 3U);
  EXPECT_EQ((*routes)[1].dev, 4U);
  cut_everywhere(message, [](const Received& cut) { decode_routes(cut); });
}

TEST(Route, KindsThatAreNotNamedAreLeftOut) {
  rtmsg header{};
  header.rtm_family = 2;  // AF_INET
  header.rtm_type = RTN_BROADCAST;
  EXPECT_FALSE(decode_routes(rewind(Message(RTM_NEWROUTE, 0, header))));
}

TEST(Rule, RoundTrips) {
  Rule rule;
  rule.priority = 1000;
  rule.from = prefix("192.168.99.0/24");
  rule.to = prefix("203.0.113.80/32");
  rule.iif = "bridge0";
  rule.oif = "ens5";
  rule.mark = 0xFE;
  rule.table = 1088;
  const Message message = add_rule(rule);
  const auto decoded = decode_rule(rewind(message));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->family, rule.family);
  EXPECT_EQ(decoded->priority, rule.priority);
  EXPECT_EQ(decoded->from, rule.from);
  EXPECT_EQ(decoded->to, rule.to);
  EXPECT_EQ(decoded->iif, rule.iif);
  EXPECT_EQ(decoded->oif, rule.oif);
  EXPECT_EQ(decoded->mark, rule.mark);
  EXPECT_EQ(decoded->table, rule.table);
  cut_everywhere(message, [](const Received& cut) { decode_rule(cut); });
}

TEST(Neighbour, RoundTrips) {
  EXPECT_FALSE(
      decode_neighbour_entry(rewind(delete_neighbour({4, ip("fd00::1"), {}, NeighbourState::stale}))))
      << "what is deleted is no entry";
  const Message message = add_neighbour({4, ip("fd00::1"), MacAddress{{2, 0, 0, 0, 0, 1}}});
  const auto decoded = decode_neighbour(rewind(message));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->index, 4U);
  EXPECT_EQ(decoded->address, ip("fd00::1"));
  EXPECT_EQ(decoded->mac, (MacAddress{{2, 0, 0, 0, 0, 1}}));
  EXPECT_TRUE(decoded->permanent);
  cut_everywhere(message, [](const Received& cut) { decode_neighbour(cut); });
}

ndmsg neighbour_header(IpFamily family, std::uint16_t state) {
  ndmsg header{};
  header.ndm_family = family_number(family);
  header.ndm_ifindex = 4;
  header.ndm_state = state;
  return header;
}

TEST(Neighbour, AnUnresolvedOneHasAStateAndNoMac) {
  Message message(RTM_NEWNEIGH, 0, neighbour_header(IpFamily::v4, NUD_FAILED));
  message.put_ip(NDA_DST, ip("192.168.99.200"));
  const auto entry = decode_neighbour_entry(rewind(message));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->address, ip("192.168.99.200"));
  EXPECT_EQ(entry->mac, std::nullopt);
  EXPECT_STREQ(to_text(entry->state), "failed");
  EXPECT_FALSE(decode_neighbour(rewind(message)));
  cut_everywhere(message, [](const Received& cut) { decode_neighbour_entry(cut); });
}

TEST(Neighbour, EveryStateIsTold) {
  const std::pair<std::uint16_t, NeighbourState> states[] = {
      {NUD_INCOMPLETE, NeighbourState::incomplete}, {NUD_REACHABLE, NeighbourState::reachable},
      {NUD_STALE, NeighbourState::stale},           {NUD_DELAY, NeighbourState::delay},
      {NUD_PROBE, NeighbourState::probe},           {NUD_FAILED, NeighbourState::failed},
      {NUD_NOARP, NeighbourState::noarp},           {NUD_PERMANENT, NeighbourState::permanent}};
  for (const auto& [number, state] : states) {
    Message message(RTM_NEWNEIGH, 0, neighbour_header(IpFamily::v6, number));
    message.put_ip(NDA_DST, ip("fd00::1"));
    const auto entry = decode_neighbour_entry(rewind(message));
    ASSERT_TRUE(entry) << number;
    EXPECT_EQ(entry->state, state);
  }
  EXPECT_FALSE(decode_neighbour_entry(rewind(Message(RTM_NEWNEIGH, 0, neighbour_header(IpFamily::v4, 0)))));
}

TEST(Fdb, RoundTrips) {
  FdbEntry entry;
  entry.port = 7;
  entry.mac = MacAddress{{2, 0, 0, 0, 0, 7}};
  entry.vlan = 42;
  const Message message = add_fdb_entry(entry);
  const auto decoded = decode_fdb_entry(rewind(message));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->port, 7U);
  EXPECT_EQ(decoded->bridge, 0U);
  EXPECT_EQ(decoded->mac, entry.mac);
  EXPECT_EQ(decoded->vlan, 42);
  EXPECT_TRUE(decoded->fixed);
  EXPECT_FALSE(decoded->own);
  cut_everywhere(message, [](const Received& cut) { decode_fdb_entry(cut); });
  EXPECT_FALSE(decode_neighbour(rewind(message))) << "no entry of a neighbour table";
}

TEST(RouteLookup, WritesWhatIsAsked) {
  RouteLookup lookup;
  lookup.to = ip("203.0.113.80");
  lookup.from = ip("192.168.99.11");
  lookup.iif = 3;
  lookup.oif = 4;
  lookup.mark = 0x51;
  const Message message = get_route(lookup);
  const auto parts = split<rtmsg>(rewind(message).payload);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->first.rtm_dst_len, 32);
  EXPECT_EQ(parts->first.rtm_src_len, 32);
  EXPECT_EQ(parts->second.ip(RTA_DST), lookup.to);
  EXPECT_EQ(parts->second.ip(RTA_SRC), lookup.from);
  EXPECT_EQ(parts->second.u32(RTA_IIF), 3U);
  EXPECT_EQ(parts->second.u32(RTA_OIF), 4U);
  EXPECT_EQ(parts->second.u32(RTA_MARK), 0x51U);
}

TEST(RouteLookup, ReadsWhatIsAnswered) {
  Route route{prefix("0.0.0.0/0"), ip("192.168.17.1"), 5, 88, RouteKind::unicast, ip("192.168.17.10")};
  const Message message = add_route(route);  // the answer has the form of the request to add one
  const auto answer = decode_lookup(rewind(message));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type, LookupType::unicast);
  EXPECT_EQ(answer->via, route.via);
  EXPECT_EQ(answer->dev, 5U);
  EXPECT_EQ(answer->table, 88U);
  EXPECT_EQ(answer->source, route.source);
  cut_everywhere(message, [](const Received& cut) { decode_lookup(cut); });
  const auto foreign =
      decode_lookup(rewind(add_route({prefix("203.0.113.0/24"), ip("fe80::1"), 3})));  // RTA_VIA
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->via, ip("fe80::1"));
  rtmsg header{};
  header.rtm_family = 2;  // AF_INET
  header.rtm_type = RTN_BROADCAST;
  EXPECT_EQ(decode_lookup(rewind(Message(RTM_NEWROUTE, 0, header)))->type, LookupType::broadcast);
}

TEST(Nsid, RoundTrips) {
  const Message message = set_nsid(5, 12);
  EXPECT_EQ(decode_nsid(rewind(message)), 12);
  EXPECT_EQ(decode_nsid(rewind(set_nsid(5, -1))), std::nullopt) << "-1: none given";
  cut_everywhere(message, [](const Received& cut) { decode_nsid(cut); });
}

TEST(Link, ReadsWhatWasSet) {
  LinkChange change;
  change.index = 9;
  change.up = true;
  change.mtu = 1400;
  change.master = 3;
  change.mac = MacAddress{{2, 0, 0, 0, 0, 9}};
  Message message = set_link(change);
  EXPECT_FALSE(decode_link(rewind(message))) << "a link without a name is malformed";
  message.put_text(IFLA_IFNAME, "eth0");
  const auto link = decode_link(rewind(message));
  ASSERT_TRUE(link);
  EXPECT_EQ(link->index, 9U);
  EXPECT_EQ(link->name, "eth0");
  EXPECT_TRUE(link->up);
  EXPECT_FALSE(link->running);
  EXPECT_EQ(link->mtu, 1400U);
  EXPECT_EQ(link->master, 3U);
  EXPECT_EQ(link->mac, change.mac);
  EXPECT_FALSE(link->ipv6);
  cut_everywhere(message, [](const Received& cut) { decode_link(cut); });
}

TEST(Objects, ForeignMessagesAreAbsent) {
  const Received foreign = rewind(get_rules(IpFamily::v4));
  EXPECT_FALSE(decode_link(foreign));
  EXPECT_FALSE(decode_address(foreign));
  EXPECT_FALSE(decode_routes(foreign));
  EXPECT_FALSE(decode_rule(foreign));
  EXPECT_FALSE(decode_neighbour(foreign));
  EXPECT_FALSE(decode_neighbour_entry(foreign));
  EXPECT_FALSE(decode_fdb_entry(foreign));
  EXPECT_FALSE(decode_lookup(foreign));
  EXPECT_FALSE(decode_nsid(foreign));
}

}  // namespace
}  // namespace plumbline::kernel::netlink
