// What stops a probe where no rule is reported: the guard's doing, or nothing but a next hop that is dead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing_arranged.hpp"
#include "harness/kernel/drops/drops.hpp"

namespace plumbline::checks {
namespace {

using engine::CheckResult;
using engine::Verdict;
using ::testing::HasSubstr;
using testing_support::Arranged;
using testing_support::arranged_spec;

constexpr const char* kForwarding =
    "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; ";
constexpr const char* kUnguarded = R"(
    bridges:
      bridge0:
        address: [192.168.99.1/24, "fd00:99::1/64"]
        containers: {container-one: [192.168.99.11, "fd00:99::11"]}
)";

constexpr const char* kTwo = R"(
    bridges:
      bridge0:
        address: [192.168.99.1/24, "fd00:99::1/64"]
        containers:
          container-one: [192.168.99.11, "fd00:99::11"]
          container-two: [192.168.99.12, "fd00:99::12"]
)";

void expect_no_guard(const std::string& family, const std::string& routes, const char* dead) {
  Arranged arranged(arranged_spec(
      "  - deny: {from: container-one, to: internet, how: drop, with: [ping, tcp/80], family: " + family +
          "}",
      kUnguarded));
  arranged.run("host", kForwarding + routes);
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 2U);
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.id << ": " << check.observed;
    EXPECT_THAT(check.observed, HasSubstr(std::string("host waits in vain for its neighbour ") + dead))
        << check.id;
  }
}

TEST(DenyNextHop, ADeadIpv4OneIsNoGuard) {
  expect_no_guard("ipv4",
                  "ip route add 203.0.113.80 via 192.168.17.99 dev ens5 table 88;"
                  "ip rule add iif bridge0 lookup 88",
                  "192.168.17.99");
}

TEST(DenyNextHop, ADeadIpv6OneIsNoGuard) {
  expect_no_guard("ipv6",
                  "ip -6 route add 2001:db8:ffff::80 via 2001:db8:17::99 dev ens5 table 88;"
                  "ip -6 rule add iif bridge0 lookup 88",
                  "2001:db8:17::99");
}

TEST(DenyNextHop, ADeadOneIsNoGuardWhereADestinationIsTranslatedToIt) {
  Arranged arranged(arranged_spec(
      "  - deny: {from: container-one, to: internet, how: drop, with: tcp/80, family: ipv6}", kUnguarded));
  arranged.run("host", std::string(kForwarding) +
                           "nft 'table ip6 t { chain p { type nat hook prerouting priority -100; iifname "
                           "bridge0 tcp dport 80 dnat to 2001:db8:17::99; }; }'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("host waits in vain for its neighbour 2001:db8:17::99"));
}

TEST(DenyNextHop, ADeadIpv6OneIsNoGuardOfAnIpv4RouteThroughIt) {
  Arranged arranged(
      arranged_spec("  - deny: {from: container-one, to: internet, how: drop, family: ipv4}", kUnguarded));
  arranged.run("host", std::string(kForwarding) +
                           "ip route add 203.0.113.80 via inet6 2001:db8:17::99 dev ens5 table 88;"
                           "ip rule add iif bridge0 lookup 88");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("host waits in vain for its neighbour 2001:db8:17::99"));
}

TEST(DenyNextHop, OneOfTheOtherFamilyThatIsNotOnTheWayDoesNotCount) {
  Arranged arranged(arranged_spec("  - deny: {from: container-one, to: internet, how: drop}", kUnguarded));
  for (const bool v6 : {true, false}) {
    // What the other family waits for in vain, and a guard of this one.
    arranged.run("host",
                 std::string(kForwarding) +
                     (v6 ? "ip neigh add 192.168.17.99 dev ens5 nud failed;"
                           "nft 'table ip6 t { chain f { type filter hook forward priority 0; iifname "
                           "bridge0 drop; }; }'"
                         : "ip neigh del 192.168.17.99 dev ens5;"
                           "ip -6 neigh add 2001:db8:17::99 dev ens5 nud failed;"
                           "nft 'table ip t { chain f { type filter hook forward priority 0; iifname "
                           "bridge0 drop; }; }'"));
    for (const CheckResult& check : arranged.judge()) {
      if (check.id.find(v6 ? "ipv6" : "ipv4") == std::string::npos) continue;
      EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
    }
  }
}

/// The denials of a network whose kernels tell nothing, after `host` and `container` have changed it. A port
/// sees what is for its bridge as for somebody else, unless the bridge bears the port's own address.
std::vector<CheckResult> judge_untold(const std::string& host, const std::string& container = ":",
                                      const std::string& to = "internet",
                                      const std::string& bridge_address = "02:00:00:00:99:01") {
  Arranged arranged(arranged_spec(
      "  - deny: {from: container-one, to: " + to + ", how: drop, with: [ping, tcp/80]}", kTwo));
  arranged.run("host",
               std::string(kForwarding) + "ip link set bridge0 address " + bridge_address + ";" + host);
  arranged.run("container-one", container);
  engine::StageOptions options = testing_support::quick();
  options.trace_rules = options.drops = false;
  auto results = arranged.judge(options);
  EXPECT_EQ(results.size(), 4U);
  return results;
}

void expect_unproven(const std::vector<CheckResult>& results) {
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.id << ": " << check.observed;
    EXPECT_THAT(check.observed, HasSubstr("host saw its frame at host:veth1 alone")) << check.id;
  }
}

std::string dropped_at_ingress(const std::string& device) {
  return "nft 'table netdev early { chain c { type filter hook ingress device " + device +
         " priority 0; ip daddr 203.0.113.80 drop; ip6 daddr 2001:db8:ffff::80 drop; }; }'";
}

TEST(DenyAtPort, ADropThereThatNoKernelTellsIsUnprovenWhicheverAddressTheBridgeBears) {
  expect_unproven(judge_untold(dropped_at_ingress("veth1")));
  expect_unproven(
      judge_untold(dropped_at_ingress("veth1"), ":", "internet", "$(cat /sys/class/net/veth1/address)"));
}

TEST(DenyAtPort, ADropThereIsProvenByTheKernelsWord) {
  Arranged arranged(arranged_spec(
      "  - deny: {from: container-one, to: internet, how: drop, with: [ping, tcp/80]}", kUnguarded));
  arranged.run("host", kForwarding + dropped_at_ingress("veth1"));
  const bool told = !kernel::drops::refused();
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 4U);
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, told ? Verdict::pass : Verdict::inconclusive)
        << check.id << ": " << check.observed;
    EXPECT_EQ(check.observed.find("NETFILTER_DROP in nft_do_chain") != std::string::npos, told) << check.id;
  }
}

TEST(DenyAtPort, ADropAtTheBridgeItselfIsTheGuards) {
  for (const CheckResult& check : judge_untold(dropped_at_ingress("bridge0")))
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
}

TEST(DenyAtPort, AFrameForNobodyProvesNoGuard) {
  expect_unproven(
      judge_untold("ip link set veth2 type bridge_slave flood off",
                   "for v in '-4 192.168.99.1' '-6 fd00:99::1'; do set -- $v;"
                   "ip $1 neigh replace $2 lladdr 02:00:00:00:00:77 nud permanent dev eth0; done"));
}

TEST(DenyAtPort, ABridgeThatIsDownProvesNoGuardWhereItBearsThePortsAddress) {
  expect_unproven(
      judge_untold("ip link set veth1 address 02:00:00:00:99:01; ip link set bridge0 down",
                   "for v in '-4 192.168.99.1' '-6 fd00:99::1'; do set -- $v;"
                   "ip $1 neigh replace $2 lladdr 02:00:00:00:99:01 nud permanent dev eth0; done"));
}

TEST(DenyAtPort, APortThatKeepsFramesFromAnotherProvesNoGuard) {
  expect_unproven(judge_untold("ip link set veth1 type bridge_slave locked on learning off fdb_flush",
                               "for v in '-4 192.168.99.12' '-6 fd00:99::12'; do set -- $v;"
                               "ip $1 neigh replace $2 lladdr 02:00:00:00:99:12 nud permanent dev eth0; done",
                               "container-two"));
}

}  // namespace
}  // namespace plumbline::checks
