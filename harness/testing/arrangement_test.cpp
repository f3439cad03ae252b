#include "harness/testing/arrangement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "harness/base/error.hpp"

namespace plumbline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

NetworkBuilder small() {
  NetworkBuilder builder;
  builder.node("server")
      .cable({"host", "ens4", {"192.168.16.10/24"}}, {"server", "eth0", {"192.168.16.66/24"}})
      .route("host", "default", "192.168.16.66")
      .bridge("bridge0", {"192.168.99.1/24", "fd00:99::1/64"})
      .container("container-one", {"192.168.99.11", "fd00:99::11"})
      .forward("ens4")
      .deny({"10.0.0.0/8"})
      .masquerade("ens4");
  return builder;
}

TEST(NetworkBuilder, MakesTheModelThatSpecsAreReadInto) {
  const network::Topology intended = small().arrangement().intended();
  const network::Node* container = intended.find("container-one");
  ASSERT_NE(container, nullptr);
  EXPECT_EQ(container->role, network::Role::container);
  ASSERT_EQ(container->interfaces.size(), 1U);
  EXPECT_EQ(container->interfaces[0].addresses.size(), 2U);
  EXPECT_EQ(container->interfaces[0].addresses[1].prefix_length, 64);
  const network::Interface* uplink = intended.host()->find_interface("ens4");
  ASSERT_NE(uplink, nullptr);
  EXPECT_EQ(uplink->peer, (network::Endpoint{"server", "eth0"}));
  EXPECT_THAT(uplink->gateways, ElementsAre(*IpAddress::parse("192.168.16.66")));
  EXPECT_FALSE(intended.host()->firewall.tables.empty());
}

TEST(NetworkBuilder, RefusesWhatCannotBeInTheReadersWords) {
  EXPECT_EQ(error_of([] {
              small().cable({"hots", "a", {}}, {"server", "b", {}});
            }),
            "there is no node 'hots' in this world; did you mean 'host'?");
  EXPECT_EQ(error_of([] {
              small().cable({"host", "ens4", {}}, {"server", "b", {}});
            }),
            "host has an interface ens4 already");
  EXPECT_EQ(error_of([] {
              small().cable({"host", "a", {"10.1.2.3"}}, {"server", "b", {}});
            }),
            "'10.1.2.3' is no address with its prefix length, as 192.168.16.10/24 is");
  EXPECT_EQ(error_of([] { small().node("server"); }), "there is a node server already");
  EXPECT_EQ(error_of([] { small().route("host", "default", "172.16.0.1"); }),
            "172.16.0.1 is on no network of host");
  EXPECT_EQ(error_of([] { small().container("two", {"192.168.98.1"}); }),
            "container two: 192.168.98.1 is outside the network of bridge bridge0");
  EXPECT_EQ(error_of([] { NetworkBuilder().container("two", {"192.168.98.1"}); }),
            "container two: name a bridge first");
  EXPECT_EQ(error_of([] { small().deny({"10.0.0.1/8"}); }), "'10.0.0.1/8' is no network, as 10.0.0.0/8 is");
  EXPECT_THAT(error_of([] { small().masquerade("ens5").arrangement(); }), HasSubstr("ens5"));
}

TEST(NetworkBuilder, BeginsWithAWorldThatShips) {
  const spec::Spec spec = NetworkBuilder::in_world("diy").masquerade("ens5").arrangement();
  EXPECT_NE(spec.intended().find("internet"), nullptr);
  EXPECT_THROW(NetworkBuilder::in_world("dyi"), Error);
}

TEST(ScenarioText, NeedsNeitherNameNorChecks) {
  const spec::Spec spec =
      scenario_text("world: diy\nsetup: {native: {bridges: {b: {address: 10.9.0.1/24}}}}\n");
  EXPECT_TRUE(spec.is_scenario());
  EXPECT_TRUE(spec.checks.empty());
}

TEST(ScenarioText, SaysWhereItIsWrong) {
  EXPECT_EQ(error_of([] { scenario_text("world: diy\nsetpu: {}\n"); }).substr(0, 41),
            "scenario text:2:1: unknown key 'setpu' in");
}

TEST(Scenario, NamesItsSetupsWhereOneIsMeantThatItHasNot) {
  const std::string file = PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml";
  EXPECT_EQ(scenario(file, "native").name, "diy");
  EXPECT_THAT(error_of([&] { scenario(file, "docker"); }),
              HasSubstr("it has no setup 'docker', but: native"));
}

}  // namespace
}  // namespace plumbline::testing
