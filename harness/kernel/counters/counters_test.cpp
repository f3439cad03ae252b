#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/counters/parse.hpp"

namespace plumbline::kernel::counters {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Counters snmp(std::string_view text) {
  Counters counters;
  parse_snmp(text, counters);
  return counters;
}

Counters conntrack(std::string_view text) {
  Counters counters;
  parse_conntrack(text, counters);
  return counters;
}

TEST(ParseSnmp, GroupsAreLinesInPairs) {
  EXPECT_THAT(snmp("Ip: Forwarding InReceives ForwDatagrams\nIp: 1 12 3\n"
                   "IpExt: InNoRoutes\nIpExt: 18446744073709551615\n"),
              ElementsAre(Pair("IpExtInNoRoutes", 18446744073709551615ULL), Pair("IpForwDatagrams", 3),
                          Pair("IpInReceives", 12)));
}

TEST(ParseSnmp, WhatIsNoCounterIsPassedOver) {
  EXPECT_THAT(snmp("Tcp: MaxConn InSegs\nTcp: -1 5\n"), ElementsAre(Pair("TcpInSegs", 5)));
  EXPECT_THAT(snmp("Ip: A B\nIp: 1"), ElementsAre(Pair("IpA", 1)));
  EXPECT_THAT(snmp("Ip: A\nIp: 1 2 3"), ElementsAre(Pair("IpA", 1)));
  EXPECT_THAT(snmp("Lonely: A\nIp: A\nIp: 1\n"), ElementsAre(Pair("IpA", 1)));
  for (const char* text : {"", "\n", ":", ":\n:", "Ip:", "Ip: A", "Ip: A\nIpExt: 1\n",
                           "Ip: A\nIp: 99999999999999999999", "Ip: A\nIp: 1x", "Ip\nIp"}) {
    EXPECT_THAT(snmp(text), IsEmpty()) << text;
  }
}

TEST(ParseSnmp6, ANameAndAValueOnEachLine) {
  Counters counters;
  parse_snmp6("Ip6InReceives                   \t12\nIp6InNoRoutes\t0\nIp6Odd\n\n Ip6X 3", counters);
  EXPECT_THAT(counters, ElementsAre(Pair("Ip6InNoRoutes", 0), Pair("Ip6InReceives", 12), Pair("Ip6X", 3)));
}

TEST(ParseConntrack, AddsUpWhatEachCpuCounts) {
  EXPECT_THAT(conntrack("entries  invalid insert_failed drop\n0000000a  00000001 00000000 0000000f\n"
                        "0000000a  00000002 00000000 00000010\n"),
              ElementsAre(Pair("nf_conntrack drop", 31), Pair("nf_conntrack insert_failed", 0),
                          Pair("nf_conntrack invalid", 3)));
  EXPECT_THAT(conntrack("drop\nxyz\n\n-1\n"), IsEmpty());
  EXPECT_THAT(conntrack(""), IsEmpty());
}

TEST(Difference, IsWhatRose) {
  const Counters before{{"a", 5}, {"b", 5}, {"c", 5}};
  const Counters after{{"a", 7}, {"b", 5}, {"c", 4}, {"d", 1}, {"e", 0}};
  EXPECT_THAT(difference(before, after), ElementsAre(Pair("a", 2), Pair("d", 1)));
}

}  // namespace
}  // namespace plumbline::kernel::counters
