// Addresses and names broken: the failing check must tell which it was.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/engine/run/testing/breaks.hpp"

namespace plumbline::engine {
namespace {

using testing::Break;

class AddressCauses : public ::testing::TestWithParam<Break> {};

TEST_P(AddressCauses, AreNamedByTheChecksThatFail) {
  testing::expect_to_be_named(GetParam());
}

std::vector<Break> addresses() {
  return {
      {"AnotherNetwork",
       "wrong-subnet",
       "  - then:\n"
       "      - delete-address: {in: container-one, dev: eth0, address: 192.168.99.11/24}\n"
       "      - add-address: {in: container-one, dev: eth0, address: 192.168.98.11/24}",
       {"reach: {from: container-one, to: [192.168.99.1, 192.168.99.12, 203.0.113.80]}",
        "reach: {from: host, to: 192.168.98.11}"},
       {"no-default-route"},
       "",
       "",
       false},
      {"AnotherNetworkOverIpv6",
       "wrong-subnet",
       "  - then:\n"
       "      - delete-route: {in: container-one, to: default, via: \"fd00:99::1\"}\n"
       "      - delete-address: {in: container-one, dev: eth0, address: \"fd00:99::11/64\"}\n"
       "      - add-address: {in: container-one, dev: eth0, address: \"fd00:98::11/64\"}",
       {"reach: {from: container-one, to: [\"fd00:99::1\", \"2001:db8:ffff::80\"]}"},
       {"no-default-route"},
       "",
       "",
       false},
      {"PrefixTooShort",
       "wrong-subnet",
       "  - run: {shell: \"ip -n container-one addr del 192.168.99.11/24 dev eth0; ip -n container-one addr "
       "add "
       "192.168.99.11/16 dev eth0; ip -n container-one route add default via 192.168.99.1\"}",
       {"resolve: {from: container-one, name: www.example.test, server: 192.168.16.53}"},
       {"dns-server-unreachable"}},
      {"PrefixTooLong",
       "wrong-subnet",
       "  - run: {shell: \"ip -n container-one addr del 192.168.99.11/24 dev eth0; ip -n container-one addr "
       "add "
       "192.168.99.11/32 dev eth0\"}",
       {"reach: {from: container-one, to: [192.168.99.1, 192.168.99.12]}",
        "reach: {from: [host, container-two], to: 192.168.99.11}"},
       {"no-default-route", "missing-route-back"}},
      {"TheTargetLostItsAddress",
       "address-missing",
       "  - then:\n"
       "      - delete-address: {in: container-two, dev: eth0, address: 192.168.99.12/24}\n"
       "      - delete-address: {in: container-two, dev: eth0, address: \"fd00:99::12/64\"}",
       {"reach: {from: [container-one, host], to: [192.168.99.12, \"fd00:99::12\"]}"},
       {}},
      {"TheServerLostItsAddress",
       "address-missing",
       "  - then:\n"
       "      - delete-address: {in: internet, dev: lo, address: 203.0.113.80/32}\n"
       "      - delete-address: {in: internet, dev: lo, address: \"2001:db8:ffff::80/128\"}",
       {"reach: {from: [container-one, host], to: [203.0.113.80, \"2001:db8:ffff::80\"]}"},
       {"no-default-route", "missing-route"}},
      {"TheSenderHasNone",
       "address-missing",
       "  - then: {delete-address: {in: container-one, dev: eth0, address: 192.168.99.11/24}}",
       {"reach: {from: container-one, to: [192.168.99.1, 203.0.113.80]}"},
       {"no-default-route"},
       "",
       "",
       false},
      {"TwoHoldTheTargets",
       "duplicate-address",
       "  - run: {shell: \"ip -n container-two addr add 192.168.99.11/24 dev eth0; ip neigh replace "
       "192.168.99.11 "
       "dev bridge0 nud reachable lladdr $(ip netns exec container-two cat /sys/class/net/eth0/address)\"}",
       {"reach: {from: host, to: container-one, family: ipv4}"},
       {}},
      {"TwoHoldTheGateways",
       "duplicate-address",
       "  - run: {shell: \"ip -n container-two addr add 192.168.99.1/24 dev eth0; ip -n container-one neigh "
       "replace "
       "192.168.99.1 dev eth0 nud reachable lladdr $(ip netns exec container-two cat "
       "/sys/class/net/eth0/address)\"}",
       {"reach: {from: container-one, to: 203.0.113.80}"},
       {}},
      {"TwoHoldTheSenders",
       "duplicate-address",
       "  - run: {shell: \"ip -n container-two addr add 192.168.99.11/24 dev eth0; ip neigh replace "
       "192.168.99.11 "
       "dev bridge0 nud permanent lladdr $(ip netns exec container-two cat /sys/class/net/eth0/address)\"}",
       {"reach: {from: container-one, to: [203.0.113.80]}"},
       {}},
      {"RefusedByDuplicateAddressDetection",
       "duplicate-address",
       "  - run: {shell: \"ip netns exec container-two sysctl -qw net.ipv6.conf.eth0.accept_dad=1 "
       "net.ipv6.conf.eth0.dad_transmits=1; ip -n container-two addr del fd00:99::12/64 dev eth0; ip -n "
       "container-one addr add fd00:99::12/64 dev eth0 nodad; ip -n container-two addr add fd00:99::12/64 "
       "dev "
       "eth0; for i in $(seq 100); do ip -n container-two addr show dadfailed | grep -q ::12 && exit 0; "
       "sleep "
       "0.05; done; exit 1\"}",
       {"reach: {from: container-two, to: 2001:db8:ffff::80}"},
       {"no-default-route"}},
      {"TheSameHardwareAddress",
       "duplicate-mac",
       "  - run: {shell: \"ip -n container-two link set eth0 address $(ip netns exec container-one cat "
       "/sys/class/net/eth0/address)\"}",
       {"reach: {from: container-one, to: container-two}", "reach: {from: container-two, to: container-one}"},
       {}},
      {"Ipv6OffInTheContainer",
       "ipv6-disabled",
       "  - then: {sysctl: {in: container-one, set: {net.ipv6.conf.all.disable_ipv6: 1}}}",
       {"reach: {from: container-one, to: [\"fd00:99::1\", \"2001:db8:ffff::80\"]}",
        "reach: {from: container-two, to: \"fd00:99::11\"}"},
       {"no-default-route"},
       "",
       "",
       false},
      {"Ipv6OffOnTheBridge",
       "ipv6-disabled",
       "  - then: {sysctl: {set: {net.ipv6.conf.bridge0.disable_ipv6: 1}}}",
       {"reach: {from: container-one, to: [\"fd00:99::1\", \"2001:db8:ffff::80\"]}",
        "reach: {from: host, to: \"fd00:99::11\"}"},
       {},
       "",
       "",
       false},
      {"TooSmallForIpv6",
       "ipv6-disabled",
       "  - then: {set-link: {dev: bridge0, mtu: 1200}}",
       {"reach: {from: container-one, to: [\"fd00:99::1\", \"2001:db8:ffff::80\"]}"},
       {"mtu-too-small"},
       "",
       "",
       false},
  };
}

std::vector<Break> names() {
  return {
      {"NoSuchName",
       "dns-refused",
       "",
       {"resolve: {from: [container-one, host], name: nowhere.example.test}"},
       {},
       "",
       "",
       false},
      {"AnotherAddress",
       "dns-wrong-answer",
       "",
       {"resolve: {from: container-one, name: www.example.test, expect: [203.0.113.81]}"},
       {},
       "",
       "",
       false},
      {"AStub",
       "dns-stub-resolver",
       "",
       {"resolve: {from: container-one, name: www.example.test}"},
       {"no-listener"},
       "    masquerade: ens4\n",
       "    masquerade: ens4\n    resolvers: 127.0.0.53\n",
       false},
      {"TcpRefused",
       "dns-udp-only",
       "  - then: {nft: {in: lan-resolver, rules: \"table inet f { chain i { type filter hook input priority "
       "0; tcp "
       "dport 53 reject with tcp reset; }; }\"}}",
       {"resolve: {from: container-one, name: www.example.test, with: tcp}"},
       {"no-listener"},
       "",
       "",
       false},
      {"TcpSilent",
       "input-drop",
       "  - then: {nft: {in: lan-resolver, rules: \"table inet f { chain i { type filter hook input priority "
       "0; tcp "
       "dport 53 drop; }; }\"}}",
       {"resolve: {from: container-one, name: www.example.test, with: tcp}"},
       {}},
      {"UdpRefused",
       "input-drop",
       "  - then: {nft: {in: lan-resolver, rules: \"table inet f { chain i { type filter hook input priority "
       "0; udp "
       "dport 53 reject; }; }\"}}",
       {"resolve: {from: container-one, name: www.example.test, with: udp}"},
       {}},
      {"Hijacked",
       "dns-answer-from-elsewhere",
       "  - then: {nft: {rules: \"table ip hijack { chain p { type nat hook prerouting priority dstnat; udp "
       "dport 53 "
       "dnat to 198.51.100.53; tcp dport 53 dnat to 198.51.100.53; }; }\"}}",
       {"resolve: {from: container-one, name: www.example.test, server: 192.168.16.53}"},
       {}},
  };
}

/// Broken elsewhere: nothing of the links is to blame.

std::string name_of(const ::testing::TestParamInfo<Break>& each) {
  return each.param.name;
}

INSTANTIATE_TEST_SUITE_P(Addresses, AddressCauses, ::testing::ValuesIn(addresses()), name_of);
INSTANTIATE_TEST_SUITE_P(Names, AddressCauses, ::testing::ValuesIn(names()), name_of);

}  // namespace
}  // namespace plumbline::engine
