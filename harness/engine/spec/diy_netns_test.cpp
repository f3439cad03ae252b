#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "harness/engine/spec/spec.hpp"
#include "harness/network/topology/live_network.hpp"

// The world and the scenario that ship, built in the kernel: what the files say is a network that works.
namespace plumbline::spec {
namespace {

using testing::HasSubstr;

struct Output {
  int status = -1;
  std::string text;
};

Output run_in(const network::LiveNetwork& network, const std::string& node, const std::string& command) {
  return network.netns(node).run([&] {
    Output output;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return output;
    char chunk[4096];
    for (std::size_t got = 0; (got = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;)
      output.text.append(chunk, got);
    output.status = ::pclose(pipe);
    return output;
  });
}

testing::AssertionResult pings(const network::LiveNetwork& network, const std::string& from,
                               const std::string& to) {
  const Output output = run_in(network, from, "ping -n -c 1 -W 5 " + to);
  if (output.status == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << from << " to " << to << ":\n" << output.text;
}

TEST(DiyWorld, TheHostReachesWhatTheWorldHolds) {
  network::LiveNetwork network;
  network.build(load_world(PLUMBLINE_SOURCE_DIR "/fixtures/worlds/diy.yaml"));
  for (const char* to :
       {"192.168.16.1", "192.168.16.53", "192.168.16.66", "203.0.113.80", "198.51.100.53", "10.1.2.3",
        "10.250.0.1", "172.16.5.5", "192.168.44.4", "100.64.0.7", "169.254.169.254", "169.254.1.1",
        "192.168.17.1", "2001:db8:16::53", "2001:db8:ffff::80", "fd00:1::3"}) {
    EXPECT_TRUE(pings(network, "host", to));
  }
  EXPECT_TRUE(pings(network, "host", "-I ens5 192.168.17.1"));
  EXPECT_TRUE(pings(network, "internal", "-I 192.168.44.4 192.168.16.66"))
      << "the LAN goes before the local range";
  EXPECT_TRUE(pings(network, "lan-resolver", "192.168.17.10")) << "the way back of what left by ens5";
}

TEST(DiyScenario, ContainersLeaveAsTheHostAndStayOutOfInternalNetworks) {
  const Spec spec =
      load_specs(PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml", {PLUMBLINE_SOURCE_DIR "/fixtures/worlds",
                                                              {"deny", "egress", "reach", "resolve"},
                                                              {},
                                                              PLUMBLINE_SOURCE_DIR "/fixtures/setups"})
          .front();
  network::LiveNetwork network;
  network.build(spec.world);
  network.build(spec.addition);
  EXPECT_TRUE(pings(network, "host", "192.168.99.11"));
  EXPECT_TRUE(pings(network, "container-one", "192.168.99.12"));
  EXPECT_TRUE(pings(network, "container-two", "203.0.113.80"));
  EXPECT_TRUE(pings(network, "container-two", "198.51.100.53"));
  for (const char* to : {"10.1.2.3", "172.16.5.5", "192.168.44.4", "100.64.0.7", "169.254.169.254",
                         "192.168.16.66", "192.168.16.53"}) {
    const Output denied = run_in(network, "container-one", fmt::format("ping -n -c 1 -W 5 {}", to));
    EXPECT_THAT(denied.text, HasSubstr("From 192.168.99.1 icmp_seq=1 Destination Port Unreachable"));
    EXPECT_TRUE(pings(network, "host", to));
  }
  const Output rules = run_in(network, "host", "nft list ruleset");
  EXPECT_THAT(rules.text, HasSubstr("policy drop"));
  EXPECT_THAT(rules.text, HasSubstr("comment \"containers stay out of 10.0.0.0/8\""));
}

TEST(DiyWorld, ContainersLeaveByTheSecondUplink) {
  network::Topology world = load_world(PLUMBLINE_SOURCE_DIR "/fixtures/worlds/diy.yaml");
  network::NativeSetup setup;
  const auto held = [](const char* text) { return *InterfaceAddress::parse(text); };
  setup.bridges.push_back({"bridge0", {held("192.168.99.1/24"), held("fd00:99::1/64")}, {}});
  setup.bridges[0].containers.push_back({"one", {held("192.168.99.11/24"), held("fd00:99::11/64")}});
  setup.forward.emplace();
  setup.forward->allow = {"ens5"};
  setup.masquerade = {"ens5"};
  setup.routing = network::NativeSetup::Routing{88, "ens5"};
  network::LiveNetwork network;
  network.build(world);
  network.build(network::expand(setup, world));
  EXPECT_TRUE(pings(network, "one", "203.0.113.80"));
  EXPECT_TRUE(pings(network, "one", "2001:db8:ffff::80"));
  EXPECT_TRUE(pings(network, "one", "192.168.16.53"))
      << "and even the LAN's resolver, around by the second uplink";
  EXPECT_TRUE(pings(network, "one", "192.168.99.1"));
  const Output way = run_in(network, "host", "ip route get 203.0.113.80 from 192.168.99.11 iif bridge0");
  EXPECT_THAT(way.text, HasSubstr("via 192.168.17.1 dev ens5 table 88"));
}

}  // namespace
}  // namespace plumbline::spec
