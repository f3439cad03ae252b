// Ways broken one at a time: the check that notices must say why, and nothing that is not so.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/run/testing/scenario.hpp"
#include "harness/engine/run/testing/typing.hpp"

namespace plumbline::engine {
namespace {

using testing::run_step;
using testing::Scenario;

struct Break {
  const char* name;
  /// Replacements in the scenario, and in its world.
  std::vector<std::pair<const char*, const char*>> edits;
  std::vector<std::pair<const char*, const char*>> world_edits;
  /// What breaks it, a line of shell each; then the checks, all of which must notice.
  std::vector<const char*> commands;
  const char* checks;
  const char* code;
  /// Others that are true as well.
  std::set<std::string> also;
  /// Typed at the end of the scenario, they make the checks pass. The cause's own fix, in other words.
  bool mends = false;
  /// The kernel's own word must show it.
  bool proven = false;
};

void PrintTo(const Break& broken, std::ostream* out) {
  *out << broken.name;
}

class RoutingCauses : public ::testing::TestWithParam<Break> {};

std::map<std::string, CheckResult> run(const Break& broken, const std::string& steps) {
  Scenario scenario;
  for (const auto& [from, to] : broken.edits) scenario.edit(from, to);
  for (const auto& [from, to] : broken.world_edits) scenario.edit_world(from, to);
  return scenario.checks(steps).run({.timeout = std::chrono::milliseconds(250)});
}

std::string told(const CheckResult& check) {
  std::string text = fmt::format("{}: {}: {}\n", check.id, to_text(check.verdict), check.observed);
  for (const Cause& cause : check.causes) {
    text += fmt::format("  {} {}: {}\n", cause.proven ? "proven" : "likely", cause.code, cause.summary);
    for (const std::string& line : cause.evidence) text += "    " + line + "\n";
    text += "    fix: " + cause.fix + "\n";
  }
  for (const JourneyStep& step : check.journey) {
    text += fmt::format("  {} {}:{} {} {} {}\n", step.t_us, step.node, step.interface, step.direction,
                        step.leg, step.packet);
  }
  for (const KernelEvent& event : check.kernel) {
    text += fmt::format("  {} {} {} {} {} {} {}\n", event.node, event.hook, event.leg, event.table,
                        event.chain, event.rule, event.verdict);
  }
  return text;
}

TEST_P(RoutingCauses, AreNamed) {
  const Break& broken = GetParam();
  std::vector<std::string> commands;
  for (const char* command : broken.commands) commands.emplace_back(command);
  const std::string breaking = commands.empty() ? std::string() : run_step(commands);
  const auto results = run(broken, breaking + broken.checks);
  ASSERT_FALSE(results.empty());
  std::vector<std::string> fixes;
  for (const auto& [id, check] : results) {
    SCOPED_TRACE(told(check));
    EXPECT_NE(check.verdict, Verdict::pass);
    ASSERT_FALSE(check.causes.empty());
    EXPECT_EQ(check.causes.front().code, broken.code);
    for (const Cause& cause : check.causes) {
      EXPECT_TRUE(cause.code == broken.code || broken.also.contains(cause.code)) << cause.code;
    }
    EXPECT_TRUE(check.causes.front().proven || !broken.proven);
    if (!broken.mends) continue;
    EXPECT_FALSE(check.causes.front().fix.empty());
    for (const std::string& line : testing::lines_of(check.causes.front().fix)) {
      if (std::ranges::count(fixes, line) == 0) fixes.push_back(line);
    }
  }
  if (!broken.mends || fixes.empty()) return;
  for (const auto& [id, check] : run(broken, breaking + run_step(fixes) + broken.checks)) {
    EXPECT_EQ(check.verdict, Verdict::pass) << run_step(fixes) << told(check);
  }
}

const char* const kOut = "  - reach: {from: container-one, to: internet}\n";
const char* const kEgress = "  - egress: {from: container-one, to: internet, via: ens5}\n";
const std::vector<std::pair<const char*, const char*>> kTwoUplinks{
    {"allow: ens4", "allow: [ens4, ens5]"},
    {"masquerade: ens4", "masquerade: [ens4, ens5]\n    routing: {table: 88, via: ens5}"}};

std::vector<Break> breaks() {
  return {
      {.name = "NoDefaultRouteOfAContainer",
       .commands = {"ip -n container-one route del default", "ip -n container-one -6 route del default"},
       .checks = kOut,
       .code = "no-default-route",
       .mends = true},
      {.name = "NoDefaultRouteOfTheHost",
       .commands = {"ip route del default", "ip -6 route del default"},
       .checks = "  - egress: {from: container-one, to: internet, via: ens4, with: [ping, tcp/80]}\n"
                 "  - deny: {from: container-one, to: [10.1.2.3, 203.0.113.80]}\n",
       .code = "no-default-route"},
      {.name = "BlackholeOnTheHost",
       .commands = {"ip route add blackhole 203.0.113.0/24", "ip -6 route add blackhole 2001:db8:ffff::/64"},
       .checks = kOut,
       .code = "blackhole-route",
       .mends = true},
      {.name = "ProhibitedInTheContainer",
       .commands = {"ip -n container-one route add prohibit 203.0.113.80"},
       .checks = "  - reach: {from: container-one, to: internet, family: ipv4, with: [ping, udp/7, tcp/7]}\n",
       .code = "blackhole-route",
       .mends = true},
      {.name = "UnreachableAtTheRouter",
       .commands = {"ip -n gateway route add unreachable 203.0.113.80",
                    "ip -n gateway -6 route add unreachable 2001:db8:ffff::80"},
       .checks = kOut,
       .code = "blackhole-route",
       .mends = true},
      {.name = "TheAnswerIntoABlackhole",
       .commands = {"ip -n internet route add blackhole 192.168.16.10"},
       .checks = "  - reach: {from: container-one, to: internet, family: ipv4}\n",
       .code = "blackhole-route",
       .mends = true},
      {.name = "TheHostsGatewayIsNobody",
       .commands = {"ip route replace default via 192.168.16.99 dev ens4",
                    "ip -6 route replace default via 2001:db8:16::99 dev ens4"},
       .checks = kOut,
       .code = "wrong-gateway",
       .mends = true},
      {.name = "AContainersGatewayIsNobody",
       .commands = {"ip -n container-one route replace default via 192.168.99.99"},
       .checks = "  - reach: {from: container-one, to: internet, family: ipv4}\n",
       .code = "wrong-gateway",
       .mends = true},
      {.name = "TheBridgeLostItsAddress",
       .commands = {"ip addr del 192.168.99.1/24 dev bridge0", "ip -6 addr del fd00:99::1/64 dev bridge0"},
       .checks = kOut,
       .code = "address-missing",
       .mends = true},
      {.name = "TheHostsGatewayIsNoRouter",
       .commands = {"ip route replace default via 192.168.16.66 dev ens4",
                    "ip -6 route replace default via 2001:db8:16::66 dev ens4"},
       .checks = kOut,
       .code = "wrong-gateway",
       .mends = true},
      {.name = "AContainersGatewayIsItsNeighbour",
       .commands = {"ip -n container-one route replace default via 192.168.99.12"},
       .checks = "  - reach: {from: container-one, to: internet, family: ipv4}\n",
       .code = "wrong-gateway",
       .mends = true},
      {.name = "NoWayBackFromTheFarEnd",
       .commands = {"ip -n internet route del 192.168.16.0/24",
                    "ip -n internet -6 route del 2001:db8:16::/64"},
       .checks = "  - reach: {from: host, to: internet, with: [ping, tcp/80, udp/7]}\n"
                 "  - reach: {from: container-one, to: internet}\n",
       .code = "missing-route-back",
       .mends = true},
      {.name = "NoWayBackAtARouter",
       .commands = {"ip -n internet route replace 192.168.16.0/24 via 198.18.0.2",
                    "ip -n gateway-two route del 192.168.16.0/24"},
       .checks = "  - reach: {from: host, to: internet, family: ipv4}\n",
       .code = "missing-route-back",
       .mends = true},
      {.name = "TheRuleIsMissing",
       .edits = kTwoUplinks,
       .commands = {"ip rule del iif bridge0", "ip rule del from 192.168.99.0/24",
                    "ip -6 rule del iif bridge0", "ip -6 rule del from fd00:99::/64"},
       .checks = kEgress,
       .code = "policy-rule-missing",
       .mends = true},
      {.name = "TheRuleWantsAMark",
       .edits = kTwoUplinks,
       .commands = {"ip rule del iif bridge0", "ip rule del from 192.168.99.0/24",
                    "ip rule add fwmark 5 lookup 88"},
       .checks = "  - egress: {from: container-one, to: internet, via: ens5, family: ipv4}\n",
       .code = "policy-rule-missing"},
      {.name = "TheTablesRouteIsMissing",
       .edits = kTwoUplinks,
       .commands = {"ip route del default table 88", "ip -6 route del default table 88"},
       .checks = kEgress,
       .code = "table-route-missing",
       .mends = true},
      {.name = "TheTableDoesNotKnowTheContainers",
       .edits = kTwoUplinks,
       .commands = {"ip route del 192.168.99.0/24 table 88", "ip -6 route del fd00:99::/64 table 88"},
       .checks = "  - reach: {from: host, to: container-one, with: [ping, tcp/8080]}\n"
                 "  - reach: {from: container-one, to: host}\n",
       .code = "table-route-missing",
       .mends = true},
      {.name = "TheDefaultRouteIsTheOtherUplinks",
       .edits = {{"allow: ens4", "allow: [ens4, ens5]"}, {"masquerade: ens4", "masquerade: [ens4, ens5]"}},
       .commands = {"ip route replace default via 192.168.17.1 dev ens5",
                    "ip -6 route del default via 2001:db8:16::1",
                    "ip -6 route add default via 2001:db8:17::1"},
       .checks = "  - egress: {from: container-one, to: internet, via: ens4}\n",
       .code = "wrong-uplink"},
      {.name = "ARuleLeadsToTheOtherUplink",
       .edits = kTwoUplinks,
       .checks = "  - egress: {from: container-one, to: internet, via: ens4}\n",
       .code = "policy-rule-order"},
      {.name = "ReversePathFilterOfTheTarget",
       .commands = {"sysctl -qw net.ipv4.conf.ens5.rp_filter=1"},
       .checks = "  - reach: {from: internet, to: 192.168.17.10, with: [ping, tcp/80]}\n",
       .code = "rp-filter"},
      {.name = "ReversePathFilterOfTheSender",
       .commands = {"sysctl -qw net.ipv4.conf.ens5.rp_filter=1",
                    "ip -n internet route replace 192.168.16.0/24 via 198.18.0.2",
                    "ip -n gateway-two route replace 192.168.16.0/24 via 192.168.17.10"},
       .checks =
           "  - reach: {from: [host, container-one], to: internet, family: ipv4, with: [ping, tcp/80]}\n",
       .code = "rp-filter",
       .mends = true},
      {.name = "ASourceOfLoopback",
       .commands = {"mac=$(ip -n container-one -br link show eth0 | awk '{print $3}')",
                    "ip neigh replace 192.168.99.11 lladdr $mac dev bridge0 nud permanent",
                    "nft add table ip odd",
                    "nft 'add chain ip odd post { type nat hook postrouting priority 90; }'",
                    "nft add rule ip odd post oifname bridge0 snat to 127.0.0.1"},
       .checks = "  - reach: {from: host, to: container-one, family: ipv4, with: [ping, tcp/8080]}\n",
       .code = "martian-source",
       .mends = true},
      {.name = "ASourceThatIsTheReceivers",
       .commands = {"nft add table ip odd",
                    "nft 'add chain ip odd post { type nat hook postrouting priority 90; }'",
                    "nft add rule ip odd post oifname bridge0 snat to 192.168.99.11"},
       .checks = "  - reach: {from: host, to: container-one, family: ipv4, with: [ping, tcp/8080]}\n",
       .code = "martian-source",
       .mends = true},
      {.name = "TheSendersMtu",
       .commands = {"ip -n container-one link set eth0 mtu 1300"},
       .checks = "  - reach: {from: container-one, to: container-two, size: 1400, with: [ping, udp/7]}\n",
       .code = "mtu-too-small",
       .mends = true},
      {.name = "ARoutersMtu",
       .commands = {"ip -n gateway link set wan mtu 1300"},
       .checks = "  - reach: {from: [host, container-one], to: internet, size: 1400, with: [ping, udp/7]}\n",
       .code = "mtu-too-small",
       .mends = true},
      {.name = "TheErrorIsDropped",
       .commands = {"ip -n gateway link set wan mtu 1300", "nft add table inet hole",
                    "nft 'add chain inet hole forward { type filter hook forward priority -5; }'",
                    "nft add rule inet hole forward icmp type destination-unreachable drop",
                    "nft add rule inet hole forward icmpv6 type packet-too-big drop"},
       .checks = "  - reach: {from: container-one, to: internet, size: 1400, with: [ping, udp/7]}\n",
       .code = "pmtu-black-hole",
       .proven = true},
      {.name = "TheErrorIsNeverSent",
       .commands =
           {"ip -n gateway link set wan mtu 1300", "ip netns exec gateway nft add table inet hole",
            "ip netns exec gateway nft 'add chain inet hole out { type filter hook output priority 0; }'",
            "ip netns exec gateway nft add rule inet hole out icmp type destination-unreachable drop",
            "ip netns exec gateway nft add rule inet hole out icmpv6 type packet-too-big drop"},
       .checks = "  - reach: {from: container-one, to: internet, size: 1400, with: [ping, udp/7]}\n",
       .code = "pmtu-black-hole",
       .mends = true},
      {.name = "ASwitchesPortIsNarrow",
       .commands = {"ip -n wan link set internet mtu 1300"},
       .checks = "  - reach: {from: container-one, to: internet, size: 1400, with: [ping, udp/7]}\n",
       .code = "pmtu-black-hole",
       .mends = true},
      {.name = "TheHostsEndIsNarrow",
       .commands = {"ip link set veth1 mtu 1300"},
       .checks = "  - reach: {from: container-one, to: internet, size: 1400, with: [ping, udp/7]}\n",
       .code = "pmtu-black-hole",
       .mends = true},
      {.name = "ItAsksForItself",
       .commands = {"nft add table ip pub",
                    "nft 'add chain ip pub pre { type nat hook prerouting priority -100; }'",
                    "nft add rule ip pub pre ip daddr 192.168.16.10 tcp dport 8080 dnat to 192.168.99.11"},
       .checks = "  - reach: {from: container-one, to: 192.168.16.10, with: tcp/8080}\n",
       .code = "hairpin-off"},
      {.name = "ItAsksForItsNeighbour",
       .commands = {"nft add table ip pub",
                    "nft 'add chain ip pub pre { type nat hook prerouting priority -100; }'",
                    "nft add rule ip pub pre ip daddr 192.168.16.10 udp dport 8080 dnat to 192.168.99.11",
                    "sysctl -qw net.bridge.bridge-nf-call-iptables=0"},
       .checks = "  - reach: {from: container-two, to: 192.168.16.10, with: udp/8080}\n",
       .code = "hairpin-off"},
      {.name = "NobodyListens",
       .world_edits = {{"  internet:\n", "  internet:\n    plant: false\n"}},
       .checks = "  - reach: {from: [host, container-one], to: internet, with: [tcp/81, udp/81]}\n",
       .code = "no-listener"},
      {.name = "TwoRoutersTakeEachOtherForTheWay",
       .commands = {"ip -n gateway route replace 203.0.113.0/24 via 198.18.0.2",
                    "ip -n gateway-two route replace 203.0.113.0/24 via 198.18.0.1",
                    "ip -n gateway -6 route replace 2001:db8:ffff::/64 via 2001:db8:18::2",
                    "ip -n gateway-two -6 route replace 2001:db8:ffff::/64 via 2001:db8:18::1"},
       .checks = "  - reach: {from: [host, container-one], to: internet, with: [ping, tcp/80]}\n",
       .code = "ttl-exceeded",
       .mends = true},
  };
}

/// Breaks of other kinds, of which nothing about ways may be said.
struct Other {
  const char* name;
  std::vector<std::pair<const char*, const char*>> edits;
  std::vector<const char*> commands;
  const char* checks;
};

void PrintTo(const Other& other, std::ostream* out) {
  *out << other.name;
}

class NoRoutingCauses : public ::testing::TestWithParam<Other> {};

TEST_P(NoRoutingCauses, AreClaimedOfOtherBreaks) {
  static const std::set<std::string> kWays{
      "no-default-route", "wrong-gateway", "missing-route-back", "policy-rule-missing", "table-route-missing",
      "wrong-uplink",     "rp-filter",     "martian-source",     "mtu-too-small",       "pmtu-black-hole",
      "hairpin-off",      "no-listener",   "blackhole-route",    "ttl-exceeded"};
  Break broken{};
  broken.edits = GetParam().edits;
  std::vector<std::string> commands;
  for (const char* command : GetParam().commands) commands.emplace_back(command);
  const auto results =
      run(broken, (commands.empty() ? std::string() : run_step(commands)) + GetParam().checks);
  ASSERT_FALSE(results.empty());
  for (const auto& [id, check] : results) {
    SCOPED_TRACE(told(check));
    EXPECT_NE(check.verdict, Verdict::pass);
    for (const Cause& cause : check.causes) EXPECT_FALSE(kWays.contains(cause.code)) << cause.code;
  }
}

std::vector<Other> others() {
  const char* const out = "  - reach: {from: container-one, to: internet, with: [ping, tcp/80, udp/7]}\n";
  return {
      {"NoMasquerade", {{"    masquerade: ens4\n", ""}}, {}, out},
      {"NoMasqueradeAndAResolver",
       {{"    masquerade: ens4\n", ""}},
       {},
       "  - resolve: {from: container-one, name: www.example.test}\n"},
      {"NothingAllowed", {{"allow: ens4", "allow: ens5"}}, {}, out},
      {"NoForwarding", {}, {"sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0"}, out},
      {"NoForwardingOfARouter",
       {},
       {"ip netns exec gateway sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0"},
       out},
      {"TheContainersLinkIsDown", {}, {"ip -n container-one link set eth0 down"}, out},
      {"TheUplinkIsDown", {}, {"ip -n lan link set host down"}, out},
      {"NotOnTheBridge", {}, {"ip link set veth1 nomaster"}, out},
      {"InputDropped",
       {},
       {"ip netns exec internet nft add table inet f",
        "ip netns exec internet nft 'add chain inet f i { type filter hook input priority 0; policy drop; }'",
        "ip netns exec internet nft add rule inet f i icmpv6 type '{ nd-neighbor-solicit, nd-neighbor-advert "
        "}' accept"},
       out},
      {"OutputOfTheFarEndDropped",
       {},
       {"ip netns exec internet nft add table inet f",
        "ip netns exec internet nft 'add chain inet f o { type filter hook output priority 0; policy drop; "
        "}'",
        "ip netns exec internet nft add rule inet f o icmpv6 type '{ nd-neighbor-solicit, nd-neighbor-advert "
        "}' accept"},
       out},
      {"RepliesDropped",
       {},
       {"nft add table inet f", "nft 'add chain inet f f { type filter hook forward priority -9; }'",
        "nft add rule inet f f iifname ens4 oifname bridge0 drop"},
       out},
      {"ResetByTheHost",
       {},
       {"nft add table inet f", "nft 'add chain inet f f { type filter hook forward priority -9; }'",
        "nft add rule inet f f tcp dport 80 reject with tcp reset",
        "nft add rule inet f f udp dport 7 reject"},
       "  - reach: {from: container-one, to: internet, with: [tcp/80, udp/7]}\n"},
      {"ResetByTheFarEndsFirewall",
       {},
       {"ip netns exec internet nft add table inet f",
        "ip netns exec internet nft 'add chain inet f i { type filter hook input priority 0; }'",
        "ip netns exec internet nft add rule inet f i tcp dport 80 reject with tcp reset",
        "ip netns exec internet nft add rule inet f i udp dport 7 reject"},
       "  - reach: {from: container-one, to: internet, with: [tcp/80, udp/7]}\n"},
      {"AWrongSubnet",
       {},
       {"ip -n container-one addr del 192.168.99.11/24 dev eth0",
        "ip -n container-one addr add 192.168.98.11/24 dev eth0"},
       "  - reach: {from: container-one, to: host, family: ipv4}\n"},
      {"TheTargetIsDown", {}, {"ip -n internet link set eth0 down"}, out},
      {"ADenyThatLeaks",
       {{"deny: [10.0.0.0/8,", "deny: ["}},
       {},
       "  - deny: {from: container-one, to: 10.1.2.3}\n"},
  };
}

INSTANTIATE_TEST_SUITE_P(OfDiy, NoRoutingCauses, ::testing::ValuesIn(others()),
                         [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(OfDiy, RoutingCauses, ::testing::ValuesIn(breaks()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace plumbline::engine
