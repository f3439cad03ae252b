#include "harness/engine/comparison/interfaces.hpp"

#include <gtest/gtest.h>

#include "harness/engine/comparison/testing.hpp"

namespace plumbline::engine {
namespace {

using testing::engine_network;

TEST(Interfaces, MadeUpNamesAreThoseOfTheOtherNetwork) {
  const Interfaces interfaces(engine_network("veth8eb6808", "br-8305a55d5a12"),
                              engine_network("vethe735daf", "br-ec5d9cd75803"));
  EXPECT_EQ(interfaces.name_of("host", "br-8305a55d5a12"), "br-ec5d9cd75803") << "by its address";
  EXPECT_EQ(interfaces.name_of("host", "veth8eb6808"), "vethe735daf") << "by its bridge and where it leads";
  EXPECT_EQ(interfaces.name_of("host", "ens4"), "ens4");
  EXPECT_EQ(interfaces.name_of("web", "eth0"), "eth0");
  EXPECT_EQ(interfaces.renamed("host", "oifname \"br-8305a55d5a12\" counter drop"),
            "oifname \"br-ec5d9cd75803\" counter drop");
  EXPECT_EQ(interfaces.renamed("host", "xbr-8305a55d5a12"), "xbr-8305a55d5a12") << "another word";
  EXPECT_EQ(interfaces.renamed("web", "oifname br-8305a55d5a12"), "oifname br-8305a55d5a12");
  EXPECT_TRUE(interfaces.is_port("host", "veth8eb6808"));
  EXPECT_FALSE(interfaces.is_port("host", "ens4"));
  EXPECT_FALSE(interfaces.is_known("host", "vethe735daf"));
}

/// Podman counts: who is started first gets veth0.
TEST(Interfaces, ANameThatLeadsElsewhereIsAnotherInterface) {
  const auto network = [](const std::string& first, const std::string& second) {
    return std::vector<DrawnNode>{{"host",
                                   "host",
                                   {{"podman0", "bridge", {"10.88.0.1/16"}, "", "", true},
                                    {"veth0", "veth", {}, "podman0", first + ":eth0", true},
                                    {"veth1", "veth", {}, "podman0", second + ":eth0", true}}}};
  };
  const Interfaces interfaces(network("one", "two"), network("two", "one"));
  EXPECT_EQ(interfaces.name_of("host", "veth0"), "veth1");
  EXPECT_EQ(interfaces.name_of("host", "veth1"), "veth0");
}

TEST(Interfaces, WhatLooksAlikeIsNotGuessed) {
  const auto network = [](const std::string& a, const std::string& b) {
    return std::vector<DrawnNode>{
        {"host", "host", {{a, "veth", {}, "", "", true}, {b, "veth", {}, "", "", true}}}};
  };
  const Interfaces interfaces(network("vethaaaa", "vethbbbb"), network("vethcccc", "vethdddd"));
  EXPECT_EQ(interfaces.name_of("host", "vethaaaa"), "vethaaaa");
  EXPECT_EQ(interfaces.name_of("host", "vethbbbb"), "vethbbbb");
}

TEST(Interfaces, ACableThatWasMovedKeepsItsName) {
  std::vector<DrawnNode> moved = engine_network("veth1", "br0");
  moved[0].interfaces[2].peer = "dmz:host";
  const Interfaces interfaces(engine_network("veth1", "br0"), moved);
  EXPECT_EQ(interfaces.name_of("host", "ens4"), "ens4");
}

TEST(Interfaces, ANewOneIsToldWithWhereItLeads) {
  std::vector<DrawnNode> moved = engine_network("vethbbbb", "br0");
  moved[0].interfaces.push_back({"br1", "bridge", {"172.19.0.1/16"}, "", "", true});
  moved[0].interfaces[1].master = "br1";
  const Interfaces interfaces(moved, engine_network("vethaaaa", "br0"));
  EXPECT_EQ(interfaces.told("host", "vethbbbb"), "vethbbbb (to web:eth0)");
  EXPECT_EQ(interfaces.told("host", "ens4"), "ens4");
}

}  // namespace
}  // namespace plumbline::engine
