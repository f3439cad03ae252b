// What CNI plugins leave behind in a disposable host, and what is theirs to leave.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/base/fd.hpp"
#include "harness/kernel/conntrack/conntrack.hpp"
#include "harness/network/setup/testing/cni_host.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::CniSetupTest;

TEST_F(CniSetupTest, NamesWhatADelThatDoesNothingHasLeftBehind) {
  plugin("lazy", R"([ "$CNI_COMMAND" = ADD ] || exit 0
add
ip route add 10.6.0.0/24 via 10.5.0.2
ip neigh add 10.5.0.2 lladdr 02:00:00:00:00:01 dev port1 nud permanent
nft add table ip t
nft add chain ip t CNI-0123456789abcdef01234567
nft add rule ip t CNI-0123456789abcdef01234567 tcp dport 80 dnat to 10.5.0.2:80
nft add set ip t known '{ type ipv4_addr; elements = { 10.5.0.2 }; }'
mkdir -p /var/lib/cni/networks/net
echo "$CNI_CONTAINERID" >/var/lib/cni/networks/net/10.5.0.2
result)");
  network(R"({"type": "lazy"})");
  ASSERT_EQ(set_up(), std::nullopt);
  const std::string what = error_of([&] { take_down(); }).what();
  EXPECT_THAT(what, HasSubstr("DEL of plumbline-one has left behind:"));
  for (const char* each :
       {"link port1 of kind veth", "address 10.5.0.1/24 dev port1",
        "route 10.6.0.0/24 via 10.5.0.2 dev port1 table 254", "permanent neighbour 10.5.0.2 dev port1",
        "chain of nft ip t CNI-0123456789abcdef01234567",
        "rule of nft ip t CNI-0123456789abcdef01234567: tcp dport 80 dnat to 10.5.0.2:80",
        "in nft ip t set known: elements = { 10.5.0.2 }",
        "file /var/lib/cni/networks/net/10.5.0.2: plumbline-one",
        "link eth0 in the container's own namespace"}) {
    EXPECT_THAT(what, HasSubstr(each));
  }
}

TEST_F(CniSetupTest, NamesWhatIsLeftThatNamesNoContainer) {
  plugin("messy", R"(case $CNI_COMMAND in
ADD)
  add
  nft add table inet left-$CNI_CONTAINERID
  nft add table inet shared
  nft 'add chain inet shared c { type filter hook forward priority 0; }'
  nft add rule inet shared c @nh,96,32 0x0a050002 drop
  ip link add left0 type veth peer name left1
  ip netns add left-ns
  mkdir -p /run/left && mount -t tmpfs left /run/left
  [ ! -e /proc/net/xfrm_stat ] || ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir out
  echo x >/etc/plumbline-left
  setsid sleep 1000 >/dev/null 2>&1 </dev/null &
  result ;;
DEL) ip link del port1 ;;
esac)");
  network(R"({"type": "messy"})");
  ASSERT_EQ(set_up(), std::nullopt);
  const std::string what = error_of([&] { take_down(); }).what();
  EXPECT_THAT(what, AllOf(HasSubstr("after the last DEL the host still holds"), Not(HasSubstr("port1"))));
  for (const char* each :
       {"nft table inet left-plumbline-one (remove it: nft delete table inet left-plumbline-one)",
        "rule of nft inet shared c: @nh,96,32 0xa050002 drop (remove it: nft delete rule inet shared c "
        "handle ",
        "link left0 of kind veth (remove it: ip link delete left0)",
        "name left-ns in /run/netns (remove it: ip netns delete left-ns)",
        "mount /run/left (tmpfs left) (remove it: umount /run/left)", "process sleep (pid ",
        "file /etc/plumbline-left: x"}) {
    EXPECT_THAT(what, HasSubstr(each));
  }
  if (fs::exists("/proc/net/xfrm_stat")) {
    EXPECT_THAT(what, HasSubstr("xfrm policy src 10.1.0.0/16 dst 10.2.0.0/16 dir out"));
  }
  EXPECT_FALSE(fs::exists("/etc/plumbline-left"));
  network_.adopt_named();
}

TEST_F(CniSetupTest, NamesAPolicyARuleThatIsThereTwiceAndARouteOfNoAddress) {
  plugin("messy", R"(case $CNI_COMMAND in
ADD)
  add
  nft 'add table ip filter; add chain ip filter CNI-FORWARD'
  nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
  for each in 1 2; do nft add rule ip filter FORWARD counter jump CNI-FORWARD; done
  ip link add out0 type veth peer name out1 && ip address add 192.0.2.1/24 dev out0 && ip link set out0 up
  ip route add 10.77.0.0/24 dev out0 proto kernel
  result ;;
DEL) ip link del port1 ;;
esac)");
  network(R"({"type": "messy"})");
  ASSERT_EQ(set_up(), std::nullopt);
  const std::string what = error_of([&] { take_down(); }).what();
  EXPECT_THAT(what, HasSubstr("policy drop of the chain of nft ip filter FORWARD (remove it: nft 'chain ip "
                              "filter FORWARD { policy accept; }')"));
  EXPECT_THAT(what, AllOf(HasSubstr("route 10.77.0.0/24 dev out0"),
                          Not(HasSubstr("chain of nft ip filter CNI-FORWARD"))));
  const std::string rule = "rule of nft ip filter FORWARD: counter jump CNI-FORWARD";
  const std::size_t first = what.find(rule);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(what.find(rule, first + 1), std::string::npos) << "one of two is there by design";
  network_.adopt_named();
}

TEST_F(CniSetupTest, NamesWhatPluginsTookAwayAndWhatTheyChanged) {
  plugin("destroyer", R"(case $CNI_COMMAND in
ADD) add; echo x >>FOLDER/data/old; result ;;
DEL) ip link del port1; ip route del 203.0.113.0/24; ip link del gone0 ;;
esac)");
  fs::create_directory(folder_ + "/data");
  std::ofstream(folder_ + "/data/old") << "old\n";
  network(fmt::format(R"({{"type": "destroyer", "ipam": {{"type": "host-local", "dataDir": "{}/data"}}}})",
                      folder_));
  {
    const auto inside = network_.netns("host").enter();
    ASSERT_EQ(
        ::system("ip link add gone0 type veth peer name kept0 && ip link add out0 type veth && ip link set "
                 "out0 up && ip route add 203.0.113.0/24 dev out0"),
        0);
  }
  ASSERT_EQ(set_up(), std::nullopt);
  const std::string what = error_of([&] { take_down(); }).what();
  EXPECT_THAT(what, AllOf(HasSubstr("the host no longer holds what was there before the first ADD:"),
                          HasSubstr("link gone0 of kind veth"), HasSubstr("route 203.0.113.0/24 dev out0"),
                          HasSubstr("/data/old, which was there before, was changed: old\\nx"),
                          Not(HasSubstr("rm /"))));
}

TEST_F(CniSetupTest, AProgramOfAStepMayGoOn) {
  plugin("clean", R"(case $CNI_COMMAND in ADD) add; result ;; DEL) ip link del port1 ;; esac)");
  network(R"({"type": "clean"})");
  ASSERT_EQ(set_up(), std::nullopt);
  {
    const auto inside = network_.netns("host").enter();
    ASSERT_EQ(
        ::system("(while :; do echo x >>/run/step.log; ip rule add pref 9 table 9; ip rule del pref 9; done) "
                 ">/dev/null 2>&1 & echo $! >/run/step.pid; until [ -s /run/step.log ]; do :; done"),
        0);
  }
  EXPECT_NO_THROW(take_down());
  ASSERT_EQ(::system("kill $(cat /run/step.pid)"), 0);
}

TEST_F(CniSetupTest, CallsEveryDelWhenANamespaceIsGone) {
  plugin("clean", R"(case $CNI_COMMAND in
ADD) [ "$CNI_CONTAINERID" = plumbline-one ] || exit 0; add; result ;;
DEL) ip link del port1 2>/dev/null || : ;;
esac)");
  network(R"({"type": "clean"})");
  ASSERT_EQ(set_up(), std::nullopt);
  ASSERT_EQ(::system("ip netns del one"), 0);
  network_.adopt_named();
  EXPECT_THAT(
      error_of([&] { take_down(); }).what(),
      HasSubstr("the namespace of plumbline-one was gone before its DEL: something in the scenario has "
                "taken /run/netns/one away"));
  EXPECT_THAT(kept("calls"), HasSubstr("DEL plumbline-one"));
}

TEST_F(CniSetupTest, WhatStepsOfAScenarioDidIsNoLeftover) {
  plugin("clean", R"(case $CNI_COMMAND in ADD) add; result ;; DEL) ip link del port1 ;; esac)");
  network(R"({"type": "clean"})");
  ASSERT_EQ(set_up(), std::nullopt);
  {
    const auto inside = network_.netns("host").enter();
    ASSERT_EQ(
        ::system("nft add table ip mine && ip link add mine0 type veth && ip rule add from 10.5.0.2 table 9"),
        0);
  }
  EXPECT_NO_THROW(take_down());
}

TEST_F(CniSetupTest, PluginsChangeNoFileOfTheMachine) {
  plugin("writer", R"(case $CNI_COMMAND in
ADD)
  add
  echo x >FOLDER/here
  mkdir -p FOLDER/data/net && echo x >FOLDER/data/net/lock
  ! (echo x >/usr/plumbline-there) 2>/dev/null || exit 9
  result ;;
DEL) ip link del port1 ;;
esac)");
  network(fmt::format(R"({{"type": "writer", "ipam": {{"type": "host-local", "dataDir": "{}/data"}}}})",
                      folder_));
  ASSERT_EQ(set_up(), std::nullopt);
  EXPECT_FALSE(fs::exists(folder_ + "/here"));
  EXPECT_FALSE(fs::exists(folder_ + "/data"));
  EXPECT_EQ(kept("here"), "x\n");
  EXPECT_NO_THROW(take_down());
}

TEST_F(CniSetupTest, NamesIptablesLegacyRulesThatAreLeft) {
  if (::system("command -v iptables-legacy >/dev/null") != 0)
    GTEST_SKIP() << "iptables-legacy: package iptables";
  plugin("legacy", R"(case $CNI_COMMAND in
  ADD) add; iptables-legacy -A FORWARD -d 10.5.0.2 -j ACCEPT -m comment --comment "$CNI_CONTAINERID"; result ;;
  DEL) ip link del port1 ;;
esac)");
  network(R"({"type": "legacy"})");
  ASSERT_EQ(set_up(), std::nullopt);
  const std::string what = error_of([&] { take_down(); }).what();
  EXPECT_THAT(what, AllOf(HasSubstr("rule of iptables-legacy filter: -A FORWARD -d 10.5.0.2/32"),
                          Not(HasSubstr("link port1"))));
}

/// A datagram to the published port, always from the same port: one connection, as conntrack sees it.
void send_datagram(const kernel::Netns& host) {
  const auto inside = host.enter();
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(40'000);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  address.sin_port = htons(5353);
  ASSERT_EQ(::inet_pton(AF_INET, "192.0.2.1", &address.sin_addr), 1);
  ASSERT_EQ(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address),
            1);
}

/// Where datagrams to the published port are led to, as conntrack remembers it.
std::vector<std::string> led_to(const kernel::Netns& host) {
  std::vector<std::string> targets;
  for (const auto& entry : kernel::conntrack::Connection(host).list(IpFamily::v4).entries) {
    if (entry.original.destination_port == 5353) targets.push_back(entry.reply.source.to_string());
  }
  return targets;
}

/// A UDP connection is remembered for as long as somebody sends: without portmap's care, what a neighbour
/// sends would go to the old container's address for ever.
TEST_F(CniSetupTest, APublishedUdpPortLeadsToTheNewContainerAtOnce) {
  if (!fs::exists("/usr/lib/cni/portmap")) GTEST_SKIP() << "install the package containernetworking-plugins";
  network(R"({"type": "bridge", "bridge": "cni0", "isGateway": true,
              "ipam": {"type": "host-local", "subnet": "10.89.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}},
             {"type": "portmap", "capabilities": {"portMappings": true}})");
  plan_.networks[0].configuration.disable_check = true;
  plan_.containers[0].known["portMappings"] =
      boost::json::parse(R"([{"hostPort": 5353, "containerPort": 5353, "protocol": "udp"}])");
  const kernel::Netns& host = network_.netns("host");
  {
    const auto inside = host.enter();
    ASSERT_EQ(::system("ip link set lo up && ip address add 192.0.2.1/32 dev lo"), 0);
  }
  ASSERT_EQ(set_up(), std::nullopt);
  send_datagram(host);
  EXPECT_THAT(led_to(host), ElementsAre("10.89.0.2"));
  take_down();
  send_datagram(host);
  plan_.containers[0].name = "two";
  plan_.containers[0].arguments = "IgnoreUnknown=1;IP=10.89.0.3";
  ASSERT_EQ(set_up(), std::nullopt);
  send_datagram(host);
  EXPECT_THAT(led_to(host), ElementsAre("10.89.0.3"));
  take_down();
}

}  // namespace
}  // namespace plumbline::network
