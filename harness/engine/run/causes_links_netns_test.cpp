// The world diy broken at its links, addresses, neighbours and names: the failing check must tell which it
// was.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/testing/scenario.hpp"
#include "harness/engine/run/testing/typing.hpp"

namespace plumbline::engine {
namespace {

using testing::Scenario;

struct Break {
  const char* name;
  const char* cause;
  const char* change;               ///< items of `checks:`
  std::vector<const char*> checks;  ///< each fails for this cause
  std::vector<const char*> also;    ///< other causes that are true too
  const char* edit_from = "";
  const char* edit_to = "";
  bool mended = true;  ///< by the fixes alone, as they are
};

void PrintTo(const Break& broken, std::ostream* out) {
  *out << broken.name;
}

std::string told(const CheckResult& check) {
  std::string text = fmt::format("{}: {}", check.id, check.observed);
  for (const Cause& cause : check.causes) {
    text += fmt::format("\n  {} {}: {}", cause.proven ? "proven" : "likely", cause.code, cause.summary);
    for (const std::string& line : cause.evidence) text += "\n      " + line;
    text += "\n    fix: " + cause.fix;
  }
  for (const JourneyStep& step : check.journey) {
    text += fmt::format("\n    {} {}:{} {} {}", step.t_us, step.node, step.interface, step.direction,
                        step.packet);
  }
  return text;
}

class LinkCauses : public ::testing::TestWithParam<Break> {};

/// The fixes of all that failed, each once, as a step of a scenario.
std::string mending(const std::map<std::string, CheckResult>& results) {
  std::vector<std::string> lines;
  for (const auto& [id, check] : results) {
    if (check.causes.empty()) continue;
    for (const std::string& line : testing::lines_of(check.causes.front().fix)) {
      if (std::ranges::count(lines, line) == 0) lines.push_back(line);
    }
  }
  return testing::run_step(lines);
}

std::map<std::string, CheckResult> run(const Break& broken, const std::string& mending = {}) {
  Scenario scenario;
  if (*broken.edit_from != '\0') scenario.edit(broken.edit_from, broken.edit_to);
  std::string items = broken.change;
  if (!items.empty()) items += '\n';
  items += mending;
  for (const char* check : broken.checks) items += fmt::format("  - {}\n", check);
  scenario.checks(items);
  return scenario.run({.timeout = std::chrono::milliseconds(300)});
}

TEST_P(LinkCauses, AreNamedByTheChecksThatFail) {
  const Break& broken = GetParam();
  const auto results = run(broken);
  EXPECT_GE(results.size(), broken.checks.size());
  for (const auto& [id, check] : results) {
    SCOPED_TRACE(told(check));
    EXPECT_NE(check.verdict, Verdict::pass);
    ASSERT_FALSE(check.causes.empty());
    EXPECT_EQ(check.causes.front().code, broken.cause);
    for (const Cause& cause : check.causes) {
      const bool known = cause.code == broken.cause || std::ranges::count(broken.also, cause.code) != 0;
      EXPECT_TRUE(known) << "a wrong cause: " << cause.code;
      EXPECT_FALSE(cause.fix.empty());
      EXPECT_FALSE(cause.evidence.empty());
    }
  }
  if (!broken.mended) return;
  const std::string mends = mending(results);
  SCOPED_TRACE(mends);
  for (const auto& [id, check] : run(broken, mends)) EXPECT_EQ(check.verdict, Verdict::pass) << told(check);
}

std::vector<Break> links() {
  return {
      {"ThePortIsDown",
       "link-down",
       "  - then: {set-link: {dev: veth1, up: false}}",
       {"reach: {from: host, to: container-one}", "reach: {from: container-two, to: container-one}"},
       {}},
      {"TheBridgeIsDown",
       "link-down",
       "  - then: {set-link: {dev: bridge0, up: false}}",
       {"reach: {from: container-one, to: [192.168.99.1, 203.0.113.80], with: [ping, tcp/80]}",
        "reach: {from: container-one, to: [\"fd00:99::1\", \"2001:db8:ffff::80\"]}",
        "reach: {from: host, to: [192.168.99.11, \"fd00:99::11\"]}"},
       {},
       "",
       "",
       false},
      {"TheUplinkIsDown",
       "link-down",
       "  - then: {set-link: {dev: ens4, up: false}}",
       {"egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}",
        "reach: {from: host, to: [192.168.16.66, \"2001:db8:16::66\"]}"},
       {"no-default-route", "missing-masquerade"},
       "",
       "",
       false},
      {"TheContainersEndIsDown",
       "link-down",
       "  - then: {set-link: {in: container-one, dev: eth0, up: false}}",
       {"reach: {from: container-one, to: [192.168.99.1, 203.0.113.80, \"fd00:99::1\"], with: [ping, "
        "udp/7]}"},
       {"no-default-route"},
       "",
       "",
       false},
      {"TheContainersEndIsDownOverIpv4",
       "link-down",
       "  - then: {set-link: {in: container-one, dev: eth0, up: false}}",
       {"reach: {from: container-one, to: 203.0.113.80}"},
       {"no-default-route"}},
      {"TheUplinkIsDownOverIpv4",
       "link-down",
       "  - then: {set-link: {dev: ens4, up: false}}",
       {"egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}"},
       {"no-default-route"}},
      {"TheHostsEndIsDown",
       "no-carrier",
       "  - then: {set-link: {dev: veth1, up: false}}",
       {"reach: {from: container-one, to: [host, internet], with: [ping, tcp/80]}"},
       {}},
      {"TheTargetsEndIsDown",
       "no-carrier",
       "  - then: {set-link: {in: container-one, dev: eth0, up: false}}",
       {"reach: {from: [host, container-two], to: [192.168.99.11, \"fd00:99::11\"]}"},
       {},
       "",
       "",
       false},
      {"TheWorldsEndIsDown",
       "no-carrier",
       "  - then: {set-link: {in: wan, dev: gateway, up: false}}",
       {"reach: {from: host, to: 203.0.113.80}"},
       {}},
      {"NoMaster",
       "not-on-bridge",
       "  - then: {set-link: {dev: veth1, master: none}}",
       {"reach: {from: container-one, to: [container-two, internet, host]}",
        "reach: {from: [host, container-two], to: container-one}",
        "egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}"},
       {"forward-policy-drop"}},
      {"AnotherMaster",
       "not-on-bridge",
       "  - run: {shell: \"ip link add bridge1 type bridge; ip link set bridge1 up\"}\n"
       "  - then: {set-link: {dev: veth1, master: bridge1}}",
       {"reach: {from: container-one, to: [container-two, internet]}",
        "reach: {from: [host, container-two], to: container-one}"},
       {"forward-policy-drop"}},
      {"TheWorldsPortIsTakenOff",
       "not-on-bridge",
       "  - then: {set-link: {in: lan, dev: lan-peer, master: none}}",
       {"reach: {from: host, to: lan-peer}"},
       {}},
  };
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

std::vector<Break> neighbours() {
  return {
      {"NoArpAtTheTarget",
       "arp-unanswered",
       "  - run: {shell: \"ip -n container-two link set eth0 arp off\"}",
       {"reach: {from: [host, container-one], to: 192.168.99.12}"},
       {}},
      {"NoArpAtTheSender",
       "arp-unanswered",
       "  - run: {shell: \"ip -n container-one link set eth0 arp off\"}",
       {"reach: {from: container-one, to: [192.168.99.12, 203.0.113.80, \"fd00:99::12\"]}"},
       {}},
      {"ArpIgnored",
       "arp-unanswered",
       "  - then: {sysctl: {in: container-two, set: {net.ipv4.conf.all.arp_ignore: 8}}}",
       {"reach: {from: [host, container-one], to: 192.168.99.12}"},
       {}},
      {"ArpDroppedByTheBridge",
       "bridge-rule-drop",
       "  - then: {nft: {rules: \"table bridge f { chain c { type filter hook forward priority 0; ether type "
       "arp "
       "drop; }; }\"}}",
       {"reach: {from: container-one, to: 192.168.99.12}"},
       {},
       "",
       "",
       false},
      {"TheWayBackIsElsewhere",
       "arp-unanswered",
       "  - run: {shell: \"sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route add 192.168.99.11/32 dev "
       "ens5\"}",
       {"reach: {from: container-one, to: internet, family: ipv4}"},
       {"rp-filter"}},
      {"TheGatewayIsNobody",
       "wrong-gateway",
       "  - run: {shell: \"ip -n container-one route replace default via 192.168.99.77; ip -n container-one "
       "-6 route "
       "replace default via fd00:99::77\"}",
       {"reach: {from: container-one, to: [203.0.113.80, \"2001:db8:ffff::80\"], with: [ping, tcp/80]}"},
       {}},
      {"TheHostsGatewayIsNobody",
       "wrong-gateway",
       "  - run: {shell: \"ip route replace default via 192.168.16.99\"}",
       {"egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}",
        "reach: {from: host, to: 203.0.113.80}"},
       {}},
      {"NobodyHoldsIt",
       "neighbour-failed",
       "",
       {"reach: {from: container-one, to: [192.168.99.77, \"fd00:99::77\"]}"},
       {},
       "",
       "",
       false},
      {"IsolatedPorts",
       "bridge-port-isolated",
       "  - run: {shell: \"bridge link set dev veth1 isolated on; bridge link set dev veth2 isolated on\"}",
       {"reach: {from: container-one, to: container-two}"},
       {}},
      {"AFixedNeighbour",
       "static-neighbour-wrong",
       "  - run: {shell: \"ip -n container-one neigh replace 192.168.99.1 dev eth0 nud permanent lladdr "
       "02:00:00:00:00:99; ip -n container-one neigh replace fd00:99::1 dev eth0 nud permanent lladdr "
       "02:00:00:00:00:99\"}",
       {"reach: {from: container-one, to: [internet, host], with: [ping, tcp/80]}",
        "resolve: {from: container-one, name: www.example.test, with: udp}"},
       {"dns-server-unreachable"}},
      {"AFixedNeighbourOfTheHost",
       "static-neighbour-wrong",
       "  - run: {shell: \"ip neigh replace 192.168.99.11 dev bridge0 nud permanent lladdr "
       "02:00:00:00:00:99\"}",
       {"reach: {from: host, to: 192.168.99.11}", "reach: {from: container-one, to: internet, family: ipv4}"},
       {}},
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
struct Elsewhere {
  const char* name;
  const char* change;
  const char* check;
};

void PrintTo(const Elsewhere& broken, std::ostream* out) {
  *out << broken.name;
}

class NoLinkCauses : public ::testing::TestWithParam<Elsewhere> {};

TEST_P(NoLinkCauses, AreClaimedWhereSomethingElseIsBroken) {
  static const std::set<std::string> kLinkCodes{"link-down",         "no-carrier",
                                                "not-on-bridge",     "wrong-subnet",
                                                "duplicate-address", "duplicate-mac",
                                                "arp-unanswered",    "neighbour-failed",
                                                "ipv6-disabled",     "bridge-port-isolated",
                                                "address-missing",   "static-neighbour-wrong",
                                                "dns-refused",       "dns-wrong-answer",
                                                "dns-stub-resolver", "dns-udp-only",
                                                "dns-tcp-only",      "dns-answer-from-elsewhere"};
  Scenario scenario;
  scenario.checks(fmt::format("{}\n  - {}\n", GetParam().change, GetParam().check));
  const auto results = scenario.run({.timeout = std::chrono::milliseconds(300)});
  EXPECT_FALSE(results.empty());
  for (const auto& [id, check] : results) {
    SCOPED_TRACE(told(check));
    EXPECT_NE(check.verdict, Verdict::pass);
    for (const Cause& cause : check.causes) EXPECT_FALSE(kLinkCodes.contains(cause.code)) << cause.code;
  }
}

std::vector<Elsewhere> elsewhere() {
  constexpr const char* kEverywhere =
      "reach: {from: [container-one, container-two], to: internet, with: [ping, tcp/80, udp/7]}";
  return {
      {"ForwardingOff",
       "  - then: {sysctl: {set: {net.ipv4.ip_forward: 0, net.ipv6.conf.all.forwarding: 0}}}", kEverywhere},
      {"ARuleDrops",
       "  - then: {nft: {rules: \"table inet more { chain f { type filter hook forward priority -10; oifname "
       "ens4 "
       "drop; }; }\"}}",
       kEverywhere},
      {"ARuleDropsTheAnswers",
       "  - then: {nft: {rules: \"table inet more { chain f { type filter hook forward priority -10; iifname "
       "ens4 "
       "drop; }; }\"}}",
       kEverywhere},
      {"NoDefaultRoute",
       "  - run: {shell: \"ip -n container-one route del default; ip -n container-one -6 route del "
       "default\"}",
       "reach: {from: container-one, to: internet, with: [ping, tcp/80, udp/7]}"},
      {"NoMasquerade", "  - then: {nft: {rules: \"delete table inet nat\"}}",
       "reach: {from: container-one, to: internet, family: ipv4, with: [ping, tcp/80, udp/7]}"},
      {"NobodyListens",
       "  - run: {shell: \"ip netns exec internet nft 'table inet f { chain i { type filter hook input "
       "priority 0; "
       "tcp dport 80 reject with tcp reset; }; }'\"}",
       "reach: {from: [container-one, host], to: internet, with: tcp/80}"},
      {"NamesStoppedByARule",
       "  - then: {nft: {rules: \"table inet more { chain f { type filter hook forward priority -10; udp "
       "dport 53 drop; "
       "tcp dport 53 drop; }; }\"}}",
       "resolve: {from: container-one, name: www.example.test}"},
      {"TheInputDrops",
       "  - then: {nft: {rules: \"table inet more { chain i { type filter hook input priority -10; ip "
       "protocol icmp "
       "drop; }; }\"}}",
       "reach: {from: container-one, to: 192.168.99.1}"},
      {"TheAnswerHasNoWayBack",
       "  - then: {delete-route: {in: internet, to: 192.168.16.0/24, via: 198.18.0.1}}",
       "reach: {from: [container-one, host], to: internet, family: ipv4}"},
      {"ALeak",
       "  - then: {nft: {rules: \"flush chain inet filter forward; add rule inet filter forward accept\"}}",
       "deny: {from: container-one, to: [10.1.2.3, \"fd00:1::3\"], how: reject}"},
      {"DroppedInsteadOfRejected",
       "  - then: {nft: {rules: \"table inet more { chain f { type filter hook forward priority -10; ip "
       "daddr "
       "10.0.0.0/8 drop; }; }\"}}",
       "deny: {from: container-one, to: 10.1.2.3, how: reject}"},
  };
}

std::string name_of(const ::testing::TestParamInfo<Break>& each) {
  return each.param.name;
}

INSTANTIATE_TEST_SUITE_P(Links, LinkCauses, ::testing::ValuesIn(links()), name_of);
INSTANTIATE_TEST_SUITE_P(Addresses, LinkCauses, ::testing::ValuesIn(addresses()), name_of);
INSTANTIATE_TEST_SUITE_P(Neighbours, LinkCauses, ::testing::ValuesIn(neighbours()), name_of);
INSTANTIATE_TEST_SUITE_P(Names, LinkCauses, ::testing::ValuesIn(names()), name_of);

INSTANTIATE_TEST_SUITE_P(Elsewhere, NoLinkCauses, ::testing::ValuesIn(elsewhere()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace plumbline::engine
