// No cause of links is claimed where something else is broken.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "harness/engine/run/testing/breaks.hpp"

namespace plumbline::engine {
namespace {

using testing::Scenario;
using testing::told;

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

INSTANTIATE_TEST_SUITE_P(Elsewhere, NoLinkCauses, ::testing::ValuesIn(elsewhere()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace plumbline::engine
