#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::network {
namespace {

using ::testing::HasSubstr;

InterfaceAddress address(const std::string& text) {
  return InterfaceAddress::parse(text).value();
}

// A bridge with `count` containers c1…, addresses 10.99.0.1/16 and 2001:db8:99::1/64 on.
Topology bridge_with(int count) {
  Topology topology;
  Node host;
  host.name = "host";
  host.role = Role::host;
  Interface bridge;
  bridge.name = "bridge0";
  bridge.kind = LinkKind::bridge;
  bridge.addresses = {address("10.99.0.1/16"), address("2001:db8:99::1/64")};
  host.interfaces.push_back(bridge);
  for (int i = 1; i <= count; ++i) {
    Interface port;
    port.name = fmt::format("port{}", i);
    port.peer = Endpoint{fmt::format("c{}", i), "eth0"};
    port.master = "bridge0";
    host.interfaces.push_back(port);
    Node container;
    container.name = port.peer->node;
    container.role = Role::container;
    Interface eth0;
    eth0.name = "eth0";
    eth0.peer = Endpoint{"host", port.name};
    eth0.addresses = {address(fmt::format("10.99.1.{}/16", i)),
                      address(fmt::format("2001:db8:99::1:{}/64", i))};
    container.interfaces = {eth0};
    Route gateway;
    gateway.via = IpAddress::parse("10.99.0.1");
    container.routes = {gateway};
    topology.nodes.push_back(container);
  }
  topology.nodes.push_back(host);
  return topology;
}

struct Output {
  int status = -1;
  std::string text;
};

Output run(const std::string& command) {
  Output output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char chunk[4096];
  for (std::size_t got = 0; (got = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;)
    output.text.append(chunk, got);
  output.status = ::pclose(pipe);
  return output;
}

Output run_in(const LiveNetwork& network, const std::string& node, const std::string& command) {
  return network.netns(node).run([&] { return run(command); });
}

bool named(const std::string& node) {
  struct stat status {};
  return ::stat(("/run/netns/" + node).c_str(), &status) == 0;
}

int open_descriptors() {
  int count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

std::string error_of(LiveNetwork& network, const Topology& topology) {
  try {
    network.build(topology);
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

TEST(LiveNetwork, FirstPacketsGetThroughAtOnce) {
  // An ARP request or a neighbour solicitation lost for want of carrier is sent again only after 1 s: with a
  // time limit of half a second a ping succeeds only where everything was ready.
  LiveNetwork network;
  network.build(bridge_with(60));
  for (int i = 1; i <= 60; ++i) {
    const Output v4 = run_in(network, fmt::format("c{}", i), "ping -n -c 1 -W 0.5 10.99.0.1");
    EXPECT_EQ(v4.status, 0) << i << ": " << v4.text;
  }
  for (int i = 1; i <= 60; i += 10) {
    const Output v6 = run_in(network, "host", fmt::format("ping -n -c 1 -W 0.5 2001:db8:99::1:{}", i));
    EXPECT_EQ(v6.status, 0) << i << ": " << v6.text;
  }
  const Output across = run_in(network, "c1", "ping -n -c 1 -W 0.5 10.99.1.60");
  EXPECT_EQ(across.status, 0) << across.text;
}

TEST(LiveNetwork, NoAddressIsTentative) {
  LiveNetwork network;
  network.build(bridge_with(20));
  for (const auto& [name, netns] : network.nodes()) {
    const Output tentative = run_in(network, name, "ip -6 address show tentative");
    EXPECT_EQ(tentative.text, "") << name;
    const Output link_local = run_in(network, name, "ip -6 address show scope link");
    EXPECT_THAT(link_local.text, HasSubstr("inet6 fe80::")) << name;
  }
}

TEST(LiveNetwork, IpNetnsSeesTheNames) {
  LiveNetwork network;
  network.build(bridge_with(2));
  EXPECT_TRUE(named("host"));
  const Output output = run("ip netns exec c2 ip -o link show");
  EXPECT_EQ(output.status, 0) << output.text;
  EXPECT_THAT(output.text, HasSubstr("eth0"));
  network.teardown();
  EXPECT_FALSE(named("host"));
  EXPECT_FALSE(named("c2"));
  EXPECT_TRUE(network.nodes().empty());
}

TEST(LiveNetwork, LeavesNothingBehind) {
  const int before = open_descriptors();
  {
    LiveNetwork network;
    network.build(bridge_with(3));
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(named("host"));
}

TEST(LiveNetwork, MovingHandsTheNamesOver) {
  LiveNetwork network;
  network.build(bridge_with(1));
  LiveNetwork other;
  other = std::move(network);
  EXPECT_TRUE(named("host"));
  EXPECT_EQ(other.nodes().size(), 2U);
  other = LiveNetwork();
  EXPECT_FALSE(named("host"));
}

TEST(LiveNetwork, ErrorNamesNodeObjectAndTheKernelsText) {
  Topology topology = bridge_with(1);
  Route unreachable;
  unreachable.to = Prefix::parse("172.16.0.0/12").value();
  unreachable.via = IpAddress::parse("203.0.113.1");
  topology.find("c1")->routes.push_back(unreachable);
  const int before = open_descriptors();
  LiveNetwork network;
  const std::string text = error_of(network, topology);
  EXPECT_THAT(text, HasSubstr("node c1: adding route 172.16.0.0/12 via 203.0.113.1: "));
  EXPECT_THAT(text, HasSubstr("Nexthop has invalid gateway (Network is unreachable)"));
  EXPECT_TRUE(network.nodes().empty());
  EXPECT_FALSE(named("c1"));
  EXPECT_FALSE(named("host"));
  EXPECT_EQ(open_descriptors(), before);
}

TEST(LiveNetwork, ErrorCountsFurtherRefusals) {
  Topology topology = bridge_with(1);
  auto& addresses = topology.find("c1")->find_interface("eth0")->addresses;
  addresses.push_back(addresses.front());
  addresses.push_back(addresses.front());
  LiveNetwork network;
  const std::string text = error_of(network, topology);
  EXPECT_THAT(text, HasSubstr("node c1: adding address 10.99.1.1/16 to eth0: "));
  EXPECT_THAT(text, HasSubstr("(and 1 more requests were refused)"));
}

TEST(LiveNetwork, SecondBuildAdds) {
  LiveNetwork network;
  network.build(bridge_with(2));
  Topology addition;
  Node host;
  host.name = "host";
  Interface port;
  port.name = "port9";
  port.peer = Endpoint{"c9", "eth0"};
  port.master = "bridge0";
  Interface bridge;
  bridge.name = "bridge0";
  bridge.kind = LinkKind::bridge;
  bridge.addresses = {address("10.98.0.1/16")};
  host.interfaces = {port, bridge};
  host.sysctls = {{"net.ipv4.ip_forward", "1"}};
  Node container;
  container.name = "c9";
  Interface eth0;
  eth0.name = "eth0";
  eth0.peer = Endpoint{"host", "port9"};
  eth0.addresses = {address("10.98.1.9/16"), address("10.99.1.9/16")};
  container.interfaces = {eth0};
  addition.nodes = {host, container};
  network.build(addition);
  EXPECT_EQ(network.nodes().size(), 4U);
  for (const char* target : {"10.98.0.1", "10.99.0.1", "10.99.1.2"}) {
    const Output ping = run_in(network, "c9", fmt::format("ping -n -c 1 -W 0.5 {}", target));
    EXPECT_EQ(ping.status, 0) << ping.text;
  }
  EXPECT_EQ(kernel::read_sysctl(network.netns("host"), "net.ipv4.ip_forward"), "1");
}

TEST(LiveNetwork, FailedSecondBuildKeepsTheFirst) {
  LiveNetwork network;
  network.build(bridge_with(1));
  Topology addition;
  addition.nodes.resize(2);
  addition.nodes[0].name = "new";
  addition.nodes[1].name = "c1";
  addition.nodes[1].sysctls = {{"net.ipv4.no_such_thing", "1"}};
  EXPECT_THAT(error_of(network, addition), HasSubstr("node c1: "));
  EXPECT_FALSE(named("new"));
  EXPECT_TRUE(named("c1"));
  EXPECT_EQ(network.nodes().size(), 2U);
}

TEST(LiveNetwork, LimitsOnIcmpErrorsAreOff) {
  LiveNetwork network;
  network.build(bridge_with(1));
  for (const char* name : {"net.ipv4.icmp_ratemask", "net.ipv6.icmp.ratelimit"}) {
    EXPECT_EQ(kernel::read_sysctl(network.netns("c1"), name), "0") << name;
  }
}

TEST(LiveNetwork, SysctlsOfAnInterfaceOutliveThoseOfAll) {
  Topology topology = bridge_with(1);
  topology.find("host")->sysctls = {{"net.ipv4.ip_forward", "1"}, {"net.ipv4.conf.bridge0.forwarding", "0"}};
  LiveNetwork network;
  network.build(topology);
  EXPECT_EQ(kernel::read_sysctl(network.netns("host"), "net.ipv4.conf.bridge0.forwarding"), "0");
  EXPECT_EQ(kernel::read_sysctl(network.netns("host"), "net.ipv4.conf.port1.forwarding"), "1");
}

TEST(LiveNetwork, LoadsTheFirewall) {
  namespace nft = kernel::nft;
  Topology topology = bridge_with(1);
  nft::Rule rule;
  rule.matches = {nft::Protocol{1}};
  rule.verdict = nft::Drop{};
  topology.find("host")->firewall.tables = {
      {nft::Family::inet,
       "guard",
       {{"input", nft::BaseChain{nft::ChainType::filter, nft::Hook::input}, {rule}}}}};
  topology.find("c1")->nft_text = "table ip own {\n  chain c {\n  }\n}\n";
  LiveNetwork network;
  network.build(topology);
  EXPECT_NE(run_in(network, "c1", "ping -n -c 1 -W 0.2 10.99.0.1").status, 0);
  EXPECT_THAT(run_in(network, "c1", "nft list tables").text, HasSubstr("table ip own"));
}

TEST(LiveNetwork, WorksWithoutIpv6) {
  Topology topology = bridge_with(2);
  for (Node& node : topology.nodes) {
    node.sysctls = {{"net.ipv6.conf.default.disable_ipv6", "1"}};
    for (Interface& interface : node.interfaces) {
      std::erase_if(interface.addresses, [](const InterfaceAddress& each) { return !each.address.is_v4(); });
    }
  }
  LiveNetwork network;
  network.build(topology);
  EXPECT_EQ(run_in(network, "c1", "ping -n -c 1 -W 0.5 10.99.1.2").status, 0);
}

TEST(LiveNetwork, RefusesWhatCannotBe) {
  const auto refused = [](auto change) {
    Topology topology = bridge_with(1);
    change(topology);
    LiveNetwork network;
    return error_of(network, topology);
  };
  EXPECT_THAT(refused([](Topology& each) { each.find("c1")->name = "../c1"; }),
              HasSubstr("\"../c1\" cannot be"));
  EXPECT_THAT(refused([](Topology& each) { each.find("c1")->name = "host"; }),
              HasSubstr("two nodes are named host"));
  EXPECT_THAT(refused([](Topology& each) { each.find("host")->find_interface("port1")->master = "bridge7"; }),
              HasSubstr("there is no bridge bridge7"));
  EXPECT_THAT(refused([](Topology& each) { each.find("c1")->find_interface("eth0")->peer.reset(); }),
              HasSubstr("does not name it in turn"));
  EXPECT_THAT(
      refused([](Topology& each) { each.find("c1")->find_interface("eth0")->name = "sixteen-bytes-xx"; }),
      HasSubstr("longer than 15 bytes"));
  EXPECT_THAT(refused([](Topology& each) { each.find("c1")->routes[0].dev = "eth7"; }),
              HasSubstr("there is no interface eth7"));
  EXPECT_THAT(refused([](Topology& each) {
                each.find("c1")->interfaces.push_back({"mv0", LinkKind::other});
                each.find("c1")->interfaces.back().kind_name = "macvlan";
              }),
              HasSubstr("links of kind \"macvlan\" cannot be made"));
}

TEST(LiveNetwork, UnknownNodeIsAnError) {
  const LiveNetwork network;
  EXPECT_THROW(network.netns("nobody"), Error);
}

TEST(LiveNetwork, HoldsNamespacesOfOthersWithAndWithoutAName) {
  LiveNetwork network;
  network.add("named", kernel::Netns::create(), LiveNetwork::Naming::named);
  network.add("unnamed", kernel::Netns::create(), LiveNetwork::Naming::unnamed);
  EXPECT_TRUE(std::filesystem::exists("/run/netns/named"));
  EXPECT_FALSE(std::filesystem::exists("/run/netns/unnamed"));
  EXPECT_THROW(network.add("named", kernel::Netns::create(), LiveNetwork::Naming::unnamed), Error);
  const auto changes = network.adopt_named();
  EXPECT_TRUE(changes.added.empty());
  EXPECT_TRUE(changes.removed.empty());
  EXPECT_TRUE(network.adopted().empty());
  EXPECT_EQ(network.nodes().size(), 2U);
  network.teardown();
  EXPECT_FALSE(std::filesystem::exists("/run/netns/named"));
}

}  // namespace
}  // namespace plumbline::network
