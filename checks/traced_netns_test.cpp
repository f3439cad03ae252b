// What the host's kernel reports about probes: hooks passed and LOG rules met, by each of the firewall's
// dialects.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "checks/testing_arranged.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::checks {
namespace {

using engine::CheckResult;
using engine::Verdict;
using ::testing::HasSubstr;
using testing_support::Arranged;
using testing_support::arranged_spec;

void expect_all(Arranged& arranged, std::size_t count, Verdict verdict) {
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), count);
  for (const CheckResult& check : results)
    EXPECT_EQ(check.verdict, verdict) << check.id << ": " << check.observed;
}

TEST(Hooks, PassesWhereAProbeIsForwardedDeliveredOrSent) {
  Arranged arranged(arranged_spec(R"(
  - hooks: {from: container-one, to: internet, with: [ping, tcp/80, udp/7], expect: [prerouting, forward, postrouting], reply: [prerouting, forward, postrouting]}
  - hooks: {from: container-one, to: host, with: [ping, tcp/80], expect: [prerouting, input], reply: [output, postrouting]}
  - hooks: {from: host, to: lan-peer, with: [ping, udp/53], family: ipv4, expect: [output, postrouting], reply: [prerouting, input]}
  - hooks: {from: container-one, to: 192.168.16.53, with: udp/53, expect: [prerouting, forward, postrouting]}
  - hooks: {from: host, to: 127.0.0.1, with: tcp/9, expect: [output, postrouting, prerouting, input]}
  - hooks: {from: container-one, to: internet, with: udp/9, in: container-one, family: ipv6, expect: [output, postrouting], reply: [prerouting, input]}
  - hooks: {from: lan-peer, to: gateway, family: ipv4, expect: []})"));
  expect_all(arranged, 16, Verdict::pass);
}

TEST(Hooks, PassesByTheBridgeWhereItsFramesCrossThem) {
  Arranged arranged(arranged_spec(
      "  - hooks: {from: container-one, to: container-two, expect: [prerouting, forward, postrouting]}"));
  if (kernel::read_sysctl(arranged.network().netns("host"), "net.bridge.bridge-nf-call-iptables") != "1") {
    GTEST_SKIP() << "no br_netfilter here";
  }
  expect_all(arranged, 2, Verdict::pass);
}

TEST(Hooks, FailsWhereNothingIsForwarded) {
  Arranged arranged(
      arranged_spec("  - hooks: {from: container-one, to: internet, family: ipv4, expect: [prerouting, "
                    "forward, postrouting]}"));
  arranged.run("host", "sysctl -qw net.ipv4.ip_forward=0");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("hooks of host passed: prerouting; by the answer: none"));
}

TEST(Hooks, FailsWhereAFirewallStopsIt) {
  Arranged arranged(
      arranged_spec("  - hooks: {from: container-one, to: lan-peer, family: ipv4, expect: [prerouting, "
                    "forward, postrouting]}"));
  arranged.run("host", "nft insert rule inet filter forward ip daddr 192.168.16.66 drop");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("passed: prerouting, forward;"));
  // As root the kernel's drop reason follows.
  const auto found = std::find_if(check.kernel.rbegin(), check.kernel.rend(),
                                  [](const engine::KernelEvent& event) { return !event.table.empty(); });
  ASSERT_NE(found, check.kernel.rend());
  const engine::KernelEvent& last = *found;
  EXPECT_EQ(last.table, "inet filter");
  EXPECT_EQ(last.rule, "ip daddr 192.168.16.66 drop");
  EXPECT_EQ(last.verdict, "drop");
  EXPECT_EQ(last.hook, "forward");
  EXPECT_EQ(last.iif, "bridge0");
}

/// Somebody else's table of our name: the kernel does not let us make ours.
constexpr const char* kTaken = "nft add table inet plumbline";

TEST(Hooks, IsInconclusiveWhereTheKernelRefusesTheTrace) {
  Arranged arranged(arranged_spec(
      "  - hooks: {from: container-one, to: internet, expect: [prerouting, forward, postrouting]}"));
  arranged.run("host", kTaken);
  expect_all(arranged, 2, Verdict::inconclusive);
}

TEST(Hooks, IsInconclusiveWhereReportsAreLost) {
  Arranged arranged(
      arranged_spec("  - hooks: {from: container-one, to: internet, with: tcp/80, expect: [prerouting, "
                    "forward, postrouting]}"));
  engine::StageOptions options = testing_support::quick();
  options.trace_buffer_bytes = 2048;
  for (const CheckResult& check : arranged.judge(options)) {
    EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  }
}

TEST(Hooks, RefusesWhatIsNoHook) {
  EXPECT_THROW(Arranged(arranged_spec("  - hooks: {from: host, to: internet, expect: [postruting]}")),
               spec::SpecError);
}

constexpr const char* kForwarded = R"(
  - logged: {from: container-one, to: internet, with: [ping, tcp/80, udp/7], family: ipv4, prefix: "[FORWARD] ", iif: bridge0, oif: ens5, verdict: accept}
  - logged: {from: container-one, to: host, with: [ping, tcp/22], family: ipv4, prefix: "[FORWARD] ", never: true}
  - logged: {from: host, to: internet, family: ipv4, prefix: "[FORWARD] ", never: true})";

struct Dialect {
  const char* name;
  const char* tool;
  const char* log;
};
void PrintTo(const Dialect& dialect, std::ostream* out) {
  *out << dialect.name;
}

class LoggedBy : public ::testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    const std::string tool = GetParam().tool;
    if (std::system(("PATH=$PATH:/usr/sbin:/sbin command -v " + tool + " >/dev/null").c_str()) != 0)
      GTEST_SKIP() << tool << " is not installed";
  }
};

TEST_P(LoggedBy, EveryForwardedProbeAndNoOther) {
  Arranged arranged(arranged_spec(kForwarded));
  arranged.run("host", GetParam().log);
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 6U);
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
  }
  EXPECT_EQ(results.at(0).observed,
            "[FORWARD] IN=bridge0 OUT=ens5 SRC=192.168.99.11 DST=203.0.113.80 accept");
}

TEST_P(LoggedBy, WhatTheFirewallDropsAfterwards) {
  Arranged arranged(arranged_spec(
      "  - logged: {from: container-one, to: lan-peer, family: ipv4, prefix: \"[FORWARD] \", verdict: drop}\n"
      "  - logged: {from: container-two, to: lan-peer, family: ipv4, prefix: \"[FORWARD] \", verdict: "
      "accept}"));
  arranged.run("host", std::string(GetParam().log) +
                           "; nft insert rule inet filter forward ip daddr 192.168.16.66 drop");
  const auto results = arranged.judge();
  EXPECT_EQ(results.at(0).verdict, Verdict::pass) << results.at(0).observed;
  EXPECT_EQ(results.at(1).verdict, Verdict::fail) << results.at(1).observed;
  EXPECT_THAT(results.at(1).observed, HasSubstr("DST=192.168.16.66 drop"));
}

const auto kName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(
    Logged, LoggedBy,
    ::testing::Values(
        Dialect{"Nft", "nft",
                "nft add table ip l && nft 'add chain ip l f { type filter hook forward priority -5 ; }' && "
                "nft 'add rule ip l f log prefix \"[FORWARD] \"'"},
        Dialect{"IptablesNft", "iptables-nft", "iptables-nft -A FORWARD -j LOG --log-prefix '[FORWARD] '"},
        Dialect{"IptablesLegacy", "iptables-legacy",
                "XTABLES_LOCKFILE=/dev/null iptables-legacy -A FORWARD -j LOG --log-prefix '[FORWARD] '"}),
    kName);

TEST(Logged, FailsWhereNoRuleLogs) {
  Arranged arranged(
      arranged_spec("  - logged: {from: container-one, to: internet, family: ipv4, prefix: \"[FORWARD] \"}"));
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed,
              HasSubstr("no rule of host logged it; hooks passed: prerouting, forward, postrouting"));
}

TEST(Logged, NeverFailsWhereOneDoes) {
  Arranged arranged(arranged_spec(
      "  - logged: {from: container-one, to: internet, family: ipv6, prefix: \"[SIX] \", never: true}"));
  arranged.run("host", "nft insert rule inet filter forward log prefix '\"[SIX] \"'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("[SIX] IN=bridge0 OUT=ens5 SRC=fd00:99::11 DST=2001:db8:ffff::80"));
}

struct Unseen {
  const char* name;
  const char* script;
  const char* from;
  const char* to;
  const char* rule;  ///< of the report
};
void PrintTo(const Unseen& unseen, std::ostream* out) {
  *out << unseen.name;
}

class NeverLogged : public ::testing::TestWithParam<Unseen> {};

TEST_P(NeverLogged, IsInconclusiveWhereTheTraceDoesNotVouch) {
  const Unseen& unseen = GetParam();
  Arranged arranged(arranged_spec(
      fmt::format("  - logged: {{from: {0}, to: {1}, family: ipv4, prefix: \"[X] \", never: true}}\n"
                  "  - logged: {{from: {0}, to: {1}, family: ipv4, prefix: \"[Y] \", never: true}}",
                  unseen.from, unseen.to)));
  arranged.run("host", fmt::format("nft '{}'", unseen.script));
  const auto results = arranged.judge();
  EXPECT_EQ(results.at(0).verdict, Verdict::inconclusive) << results.at(0).observed;
  EXPECT_THAT(results.at(0).observed, HasSubstr(unseen.rule));
  EXPECT_EQ(results.at(1).verdict, Verdict::pass) << results.at(1).observed;
}

INSTANTIATE_TEST_SUITE_P(
    Logged, NeverLogged,
    ::testing::Values(
        Unseen{"BreaksAfterwards",
               R"(insert rule inet filter forward log prefix "[X] " counter tcp dport 9999 accept)",
               "container-one", "internet", "of inet filter, chain forward,"},
        Unseen{
            "BeforeTheTrace",
            R"(table inet u { chain p { type filter hook prerouting priority -2000; log prefix "[X] "; }; })",
            "container-one", "internet", "of inet u, chain p,"},
        Unseen{"TraceEnded",
               "table inet u { chain f { type filter hook forward priority -5; meta nftrace set 0; "
               "log prefix \"[X] \"; }; }",
               "container-one", "internet", "`meta nftrace set 0` of inet u, chain f, ends"},
        Unseen{"Bridge",
               R"(table bridge u { chain p { type filter hook forward priority 0; log prefix "[X] "; }; })",
               "container-one", "container-two", "`log prefix \"[X] \"` of bridge u, chain p,"},
        Unseen{"Netdev",
               "table netdev u { chain p { type filter hook ingress device ens4 priority 0; "
               "log prefix \"[X] \"; }; }",
               "internet", "host", "of netdev u, chain p,"},
        Unseen{"Ingress",
               "table inet u { chain p { type filter hook ingress device ens4 priority 0; "
               "log prefix \"[X] \"; }; }",
               "internet", "host", "of inet u, chain p,"}),
    kName);

TEST(Logged, NeverPassesWhereTheTraceVouchesForTheRule) {
  Arranged arranged(arranged_spec(
      "  - logged: {from: container-one, to: internet, family: ipv4, prefix: \"[X] \", never: true}"));
  arranged.run("host",
               "nft 'insert rule inet filter forward meta nftrace set 1' && "
               "nft 'insert rule inet filter forward tcp dport 9999 log prefix \"[X] \" counter accept'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
}

TEST(Logged, NeverFailsWhereNflogOfIptablesLegacyDoes) {
  if (std::system("PATH=$PATH:/usr/sbin:/sbin command -v iptables-legacy >/dev/null") != 0)
    GTEST_SKIP() << "iptables-legacy is not installed";
  Arranged arranged(arranged_spec(
      "  - logged: {from: container-one, to: internet, family: ipv4, prefix: \"[X] \", never: true}"));
  arranged.run("host",
               "XTABLES_LOCKFILE=/dev/null iptables-legacy -A FORWARD -j NFLOG --nflog-prefix '[X] '");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
}

TEST(Logged, IsInconclusiveWhereTheKernelRefusesTheTrace) {
  Arranged arranged(arranged_spec(
      "  - logged: {from: container-one, to: internet, family: ipv4, prefix: \"[FORWARD] \"}\n"
      "  - logged: {from: container-two, to: internet, family: ipv4, prefix: \"[FORWARD] \", never: true}"));
  arranged.run("host", kTaken);
  expect_all(arranged, 2, Verdict::inconclusive);
}

TEST(Logged, NeverOfAProbeThatDidNotComeIsInconclusive) {
  Arranged arranged(arranged_spec(
      "  - hooks: {from: host, to: internet, family: ipv4, expect: [output, postrouting]}\n"
      "  - logged: {from: container-one, to: 192.168.99.77, prefix: \"[FORWARD] \", never: true}"));
  const auto results = arranged.judge();
  EXPECT_EQ(results.at(0).verdict, Verdict::pass) << results.at(0).observed;
  EXPECT_EQ(results.at(1).verdict, Verdict::inconclusive) << results.at(1).observed;
}

TEST(Logged, RefusesAVerdictOfWhatIsNeverLogged) {
  EXPECT_THROW(Arranged(arranged_spec(
                   "  - logged: {from: host, to: internet, prefix: \"x\", never: true, verdict: drop}")),
               spec::SpecError);
}

}  // namespace
}  // namespace plumbline::checks
