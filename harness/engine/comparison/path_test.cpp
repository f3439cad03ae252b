#include "harness/engine/comparison/path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/comparison/testing.hpp"

namespace plumbline::engine {
namespace {

using ::testing::ElementsAre;
using testing::engine_network;
using testing::rule;
using testing::step;

std::vector<std::string> texts(const std::vector<Landmark>& landmarks) {
  std::vector<std::string> texts;
  for (const Landmark& one : landmarks) texts.push_back(one.text);
  return texts;
}

std::vector<std::string> keys(const std::vector<Landmark>& landmarks) {
  std::vector<std::string> keys;
  for (const Landmark& one : landmarks) keys.push_back(one.key);
  return keys;
}

const Interfaces& interfaces() {
  static const Interfaces some(engine_network("veth1", "br0"), engine_network("veth1", "br0"));
  return some;
}

TEST(Path, EachHopIsToldOnceWithItsLegAndWhatIsTranslated) {
  CheckResult check;
  check.journey = {step("web", "eth0", "out"), step("host", "ens4", "out"), step("web", "eth0", "out"),
                   step("host", "ens4", "in", "reply"), step("host", "br0", "out", "error")};
  check.journey[1].translated = "source";
  EXPECT_THAT(texts(path_of(check, interfaces()).hops),
              ElementsAre("web:eth0 out", "host:ens4 out, source translated", "reply host:ens4 in",
                          "error host:br0 out"));
}

TEST(Path, AddressResolutionIsNoPartOfIt) {
  CheckResult check;
  check.journey = {step("web", "eth0", "out", "neighbour"), step("web", "eth0", "out")};
  EXPECT_EQ(path_of(check, interfaces()).hops.size(), 1U);
}

/// A bridge has the address of one of its ports, by chance, and sends to all until it has learned.
TEST(Path, WhomAFrameIsAddressedToDoesNotMatterAtAPortAndIsNoHopElsewhere) {
  CheckResult check;
  check.journey = {step("host", "veth1", "other-host"), step("web", "eth0", "other-host")};
  EXPECT_THAT(texts(path_of(check, interfaces()).hops), ElementsAre("host:veth1 in"));
}

TEST(Path, AnInterfaceThatCameLaterIsKnownByWhereItLeads) {
  CheckResult check;
  check.journey = {step("host", "veth77af12", "out"), step("late", "eth0", "in")};
  CheckResult again = check;
  again.journey[0].interface = "veth0b5e66";
  EXPECT_EQ(keys(path_of(check, interfaces()).hops), keys(path_of(again, interfaces()).hops));
  again.journey[1].node = "other";
  EXPECT_NE(keys(path_of(check, interfaces()).hops), keys(path_of(again, interfaces()).hops));
}

TEST(Path, RulesAreToldByTheirWords) {
  CheckResult check;
  check.kernel = {rule("FORWARD", "counter drop", "drop"), rule("FORWARD", "counter drop", "drop")};
  check.kernel[1].handle = 7;
  check.kernel[1].packets = 12;
  const Path path = path_of(check, interfaces());
  EXPECT_THAT(texts(path.rules), ElementsAre("host forward ip filter FORWARD: counter drop → drop"));
  EXPECT_TRUE(path.told_of_rules);
  EXPECT_FALSE(path_of(CheckResult{}, interfaces()).told_of_rules);
}

TEST(Path, WhyTheKernelLetGoOfAPacketIsNoPartOfIt) {
  CheckResult check;
  check.kernel.emplace_back().drop_reason = "NETFILTER_DROP";
  EXPECT_TRUE(path_of(check, interfaces()).rules.empty());
}

TEST(Path, WhatEnginesMakeUpIsNoPartOfARule) {
  EXPECT_EQ(lasting_words("oifname \"br-8305a55d5a12\" counter drop"), "oifname \"br-*\" counter drop");
  EXPECT_EQ(lasting_words("CNI-5f1d09e6a0b1c2d3e4f5a6b7: jump"), "CNI-*: jump");
  EXPECT_EQ(lasting_words("dnat to 127.0.0.11:42908"), "dnat to 127.0.0.11:*");
  EXPECT_EQ(lasting_words("dnat to 127.0.0.11:53"), "dnat to 127.0.0.11:53");
  EXPECT_EQ(lasting_words("dnat to 10.127.0.11:42908"), "dnat to 10.127.0.11:42908");
  EXPECT_EQ(lasting_words("ip daddr 192.168.99.11 tcp dport 8080"), "ip daddr 192.168.99.11 tcp dport 8080");
  EXPECT_EQ(lasting_words("ip6 daddr 2001:db8:abcd:ef01::80"), "ip6 daddr 2001:db8:abcd:ef01::80");
}

}  // namespace
}  // namespace plumbline::engine
