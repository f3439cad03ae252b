// scenarios/diy.yaml with its firewall broken in one way: the check that notices must name the right cause
// first, and no wrong one beside it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "harness/engine/run/testing/scenario.hpp"
#include "harness/engine/run/testing/typing.hpp"
#include "harness/kernel/drops/drops.hpp"

namespace plumbline::engine {
namespace {

struct Break {
  const char* name;
  std::function<void(testing::Scenario&)> make;
  const char* checks;
  const char* failing;  ///< how the id of the check begins that must not pass
  std::vector<std::string> codes;
  const char* said;  ///< that the first cause's summary, evidence or fix must hold
};

void PrintTo(const Break& broken, std::ostream* out) {
  *out << broken.name;
}

std::string all_of(const Cause& cause) {
  std::string text = cause.code + ": " + cause.summary + "\n";
  for (const std::string& line : cause.evidence) text += "  " + line + "\n";
  return text + "  $ " + cause.fix + "\n";
}

class FirewallBreaks : public ::testing::TestWithParam<Break> {};

std::map<std::string, CheckResult> run(const Break& broken, const std::string& checks) {
  testing::Scenario scenario;
  broken.make(scenario);
  scenario.checks(checks);
  return scenario.run({.timeout = std::chrono::milliseconds(250)});
}

/// The same changes, then the fix, then the same checks.
std::string mended(const Break& broken, const std::string& fix) {
  const std::string checks = broken.checks;
  std::size_t at = std::string::npos;
  for (const char* kind : {"reach", "deny", "egress", "resolve", "silent"}) {
    at = std::min(at, checks.find(std::string("  - ") + kind));
  }
  return checks.substr(0, at) + testing::run_step(testing::lines_of(fix)) + checks.substr(at);
}

TEST_P(FirewallBreaks, AreTracedToTheirCauseAndMendedByItsFix) {
  const Break& broken = GetParam();
  const auto results = run(broken, broken.checks);
  const auto found = std::ranges::find_if(results, [&](const auto& each) {
    return each.first.starts_with(broken.failing) && each.second.verdict != Verdict::pass;
  });
  ASSERT_NE(found, results.end()) << "nobody noticed";
  const CheckResult& check = found->second;
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
  std::vector<std::string> codes;
  std::string causes;
  for (const Cause& cause : check.causes) {
    codes.push_back(cause.code);
    causes += all_of(cause);
  }
  EXPECT_EQ(codes, broken.codes) << check.id << ": " << check.observed << "\n" << causes;
  ASSERT_FALSE(check.causes.empty());
  EXPECT_NE(all_of(check.causes.front()).find(broken.said), std::string::npos) << causes;
  const std::string& fix = check.causes.front().fix;
  const auto again = run(broken, mended(broken, fix));
  const auto now =
      std::ranges::find_if(again, [&](const auto& each) { return each.first.starts_with(check.id); });
  ASSERT_NE(now, again.end()) << fix;
  EXPECT_EQ(now->second.verdict, Verdict::pass) << fix << "\n" << now->second.observed;
}

void edit(testing::Scenario& scenario, const char* from, const char* to) {
  scenario.edit(from, to);
}
std::function<void(testing::Scenario&)> edited(const char* from, const char* to) {
  return [from, to](testing::Scenario& scenario) { edit(scenario, from, to); };
}
void nothing(testing::Scenario&) {}

constexpr const char* kMasquerade = "    masquerade: ens4\n";
constexpr const char* kForward =
    "    forward:\n"
    "      allow: ens4\n"
    "      deny: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 100.64.0.0/10, \"fc00::/7\", "
    "\"2001:db8:16::/64\"]\n"
    "      except:\n"
    "        - {to: 192.168.16.53, with: [udp/53, tcp/53]}\n"
    "        - {to: \"2001:db8:16::53\", with: [udp/53, tcp/53]}\n"
    "      how: reject\n";

/// Forwarding, and a chain of policy drop with these rules.
std::string own_chain(const std::string& rules) {
  return "    nft: |\n      table inet filter {\n        chain forward {\n"
         "          type filter hook forward priority filter; policy drop;\n" +
         rules + "        }\n      }\n";
}
std::function<void(testing::Scenario&)> with_chain(const std::string& rules) {
  return [rules](testing::Scenario& scenario) { scenario.edit(kForward, own_chain(rules)); };
}
std::vector<Break> breaks() {
  return {
      {"BridgeRule",
       nothing,
       "  - then: {nft: {rules: \"table bridge filter { chain forward { type filter hook forward priority 0; "
       "ip "
       "daddr 192.168.99.12 drop; }; }\"}}\n"
       "  - reach: {from: container-one, to: container-two, with: [tcp/8080], family: ipv4}",
       "reach",
       {"bridge-rule-drop"},
       "was stopped in host at the hook bridge forward\n  rule of host's bridge filter forward (handle "},
      {"BridgePolicyOverIPv6",
       nothing,
       "  - then: {nft: {rules: \"table bridge filter { chain forward { type filter hook forward priority 0; "
       "policy drop; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }; }\"}}\n"
       "  - reach: {from: container-one, to: container-two, with: [ping], family: ipv6}",
       "reach",
       {"bridge-rule-drop"},
       "policy drop of host's bridge filter forward"},
      {"BridgeOutputRule",
       nothing,
       "  - then: {nft: {rules: \"table bridge filter { chain out { type filter hook output priority 0; ip "
       "daddr "
       "192.168.99.11 drop; }; }\"}}\n"
       "  - reach: {from: host, to: container-one, with: [udp/5353], family: ipv4}",
       "reach",
       {"bridge-rule-drop"},
       "was stopped in host at the hook bridge output"},
      {"BridgeInputRuleOnTheWayOut",
       nothing,
       "  - then: {nft: {rules: \"table bridge filter { chain in { type filter hook input priority 0; ip "
       "saddr "
       "192.168.99.11 drop; }; }\"}}\n"
       "  - reach: {from: container-one, to: internet, with: [tcp/80], family: ipv4}",
       "reach",
       {"bridge-rule-drop"},
       "was stopped in host at the hook bridge input"},
      {"ForwardPolicy",
       edited("      allow: ens4\n", ""),
       "  - reach: {from: container-one, to: internet, with: [tcp/80], family: ipv4}",
       "reach",
       {"forward-policy-drop"},
       "$ nft add rule inet filter forward iifname bridge0 oifname ens4 ip daddr 203.0.113.80 tcp dport 80 "
       "accept"},
      {"ForwardPolicyOverIPv6",
       edited("      allow: ens4\n", ""),
       "  - reach: {from: container-one, to: internet, with: [ping], family: ipv6}",
       "reach",
       {"forward-policy-drop"},
       "policy drop of host's inet filter forward"},
      {"ForwardPolicyOfIptables",
       nothing,
       "  - run: {shell: iptables-nft -P FORWARD DROP}\n"
       "  - reach: {from: container-one, to: internet, with: [udp/7], family: ipv4}",
       "reach",
       {"forward-policy-drop"},
       "$ iptables-nft -A FORWARD -i bridge0 -o ens4 -d 203.0.113.80 -p udp --dport 7 -j ACCEPT\n"
       "iptables-nft -I FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"},
      {"ForwardRule",
       nothing,
       "  - then: {nft: {rules: insert rule inet filter forward ip daddr 203.0.113.0/24 drop}}\n"
       "  - reach: {from: container-one, to: internet, with: [tcp/80], family: ipv4}",
       "reach",
       {"forward-rule-drop"},
       "ip daddr 203.0.113.80 tcp dport 80 accept"},
      {"ForwardRuleOverIPv6OfIptables",
       nothing,
       "  - run: {shell: 'ip6tables-nft -A FORWARD -i bridge0 -p tcp --dport 80 -j REJECT'}\n"
       "  - reach: {from: container-one, to: internet, with: [tcp/80], family: ipv6}",
       "reach",
       {"forward-rule-drop"},
       "$ ip6tables-nft -I FORWARD 1 -i bridge0"},
      {"ForwardRuleThatTheResolverIsBehind",
       edited("      except:\n        - {to: 192.168.16.53, with: [udp/53, tcp/53]}\n", "      except:\n"),
       "  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.80, server: "
       "lan-resolver, "
       "with: udp}",
       "resolve",
       {"forward-rule-drop"},
       "ip daddr 192.168.16.53 udp dport 53 accept"},
      {"ForwardRuleThatDropsInsteadOfRejecting",
       edited("      how: reject\n", "      how: drop\n"),
       "  - deny: {from: container-one, to: 10.1.2.3, with: tcp/80, how: reject}",
       "deny",
       {"forward-rule-drop"},
       "dport 80 reject"},
      {"ForwardRuleOrder",
       nothing,
       "  - then:\n      - nft: {rules: insert rule inet filter forward ip daddr 203.0.113.0/24 reject}\n"
       "      - nft: {rules: add rule inet filter forward ip daddr 203.0.113.80 tcp dport 80 accept}\n"
       "  - reach: {from: container-one, to: internet, with: [tcp/80], family: ipv4}",
       "reach",
       {"forward-rule-order"},
       "comes too late: rule of host's inet filter forward"},
      {"ForwardRuleOrderOfALeak",
       nothing,
       "  - then: {nft: {rules: insert rule inet filter forward iifname bridge0 oifname ens4 accept}}\n"
       "  - deny: {from: container-one, to: 10.1.2.3, with: tcp/80}",
       "deny",
       {"forward-rule-order"},
       "comes too late: rule of host's inet filter forward"},
      {"InputRule",
       nothing,
       "  - then: {nft: {rules: 'table inet guard { chain input { type filter hook input priority 0; iifname "
       "bridge0 tcp dport 8080 drop; }; }'}}\n"
       "  - reach: {from: container-one, to: host, with: [tcp/8080], family: ipv4}",
       "reach",
       {"input-drop"},
       "tcp dport 8080 accept"},
      {"InputPolicyOfLegacyIptables",
       nothing,
       "  - run: {shell: iptables-legacy -P INPUT DROP}\n"
       "  - reach: {from: container-one, to: host, with: [udp/5353], family: ipv4}",
       "reach",
       {"input-drop"},
       "$ iptables-legacy -A INPUT -i bridge0"},
      {"OutputPolicyOfTheContainer",
       nothing,
       "  - then: {nft: {in: container-one, rules: 'table ip guard { chain output { type filter hook output "
       "priority 0; policy drop; }; }'}}\n"
       "  - reach: {from: container-one, to: internet, with: [ping], family: ipv4}",
       "reach",
       {"output-drop"},
       "$ nft add rule ip guard output oifname eth0 ip daddr 203.0.113.80"},
      {"AnswersNotAccepted",
       with_chain("          iifname bridge0 accept\n"),
       "  - then: {sysctl: {set: {net.ipv4.ip_forward: 1}}}\n"
       "  - reach: {from: container-one, to: internet, with: [tcp/80], family: ipv4}",
       "reach",
       {"missing-accept-for-replies"},
       "$ nft insert rule inet filter forward ct state established,related accept"},
      {"AnswersNotAcceptedOverIPv6AtInput",
       nothing,
       "  - run: {shell: 'ip6tables-nft -P INPUT DROP; ip6tables-nft -A INPUT -p ipv6-icmp -j ACCEPT'}\n"
       "  - reach: {from: host, to: internet, with: [tcp/80], family: ipv6}",
       "reach",
       {"missing-accept-for-replies"},
       "$ ip6tables-nft -I INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"},
      {"BridgeNetfilter",
       with_chain("          oifname ens4 accept\n          ct state established accept\n"),
       "  - then: {sysctl: {set: {net.ipv4.ip_forward: 1}}}\n"
       "  - reach: {from: container-one, to: container-two, with: [ping], family: ipv4}",
       "reach",
       {"bridge-netfilter"},
       "$ nft add rule inet filter forward iifname bridge0 oifname bridge0 accept"},
      {"ConntrackInvalid",
       nothing,
       "  - then: {nft: {rules: 'table ip guard { chain raw { type filter hook prerouting priority raw; ip "
       "saddr "
       "192.168.99.11 notrack; }; chain out { type filter hook output priority 0; ct state invalid drop; }; "
       "}'}}\n"
       "  - reach: {from: container-one, to: host, with: [ping], family: ipv4}",
       "reach",
       {"conntrack-invalid-drop"},
       "$ nft delete rule ip guard raw handle"},
      {"MixedBackEnds",
       nothing,
       "  - run: {shell: iptables-legacy -P FORWARD DROP}\n"
       "  - reach: {from: container-one, to: internet, with: [tcp/80], family: ipv4}",
       "reach",
       {"legacy-and-nft-mixed"},
       "$ iptables-legacy -A FORWARD -i bridge0 -o ens4 -d 203.0.113.80 -p tcp --dport 80 -j ACCEPT"},
      {"MissingMasquerade",
       edited(kMasquerade, ""),
       "  - egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, with: [tcp/80], "
       "family: ipv4}",
       "egress",
       {"missing-masquerade"},
       "ip saddr 192.168.99.0/24 oifname ens4 masquerade"},
      {"MissingMasqueradeOfAReach",
       edited(kMasquerade, ""),
       "  - reach: {from: container-one, to: internet, with: [udp/7], family: [ipv4, ipv6]}",
       "reach",
       {"missing-masquerade"},
       "there is no way back to 192.168.99.11"},
      {"MasqueradeOfAnotherUplink",
       edited(kMasquerade, "    masquerade: ens5\n"),
       "  - egress: {from: container-one, to: internet, via: ens4, with: [ping], family: ipv6}",
       "egress",
       {"masquerade-wrong-uplink"},
       "oifname \"ens5\""},
      {"SnatToAStranger",
       nothing,
       "  - then: {nft: {rules: 'table ip early { chain post { type nat hook postrouting priority 90; "
       "oifname ens4 "
       "snat to 192.168.16.99; }; }'}}\n"
       "  - egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, with: [ping], family: "
       "ipv4}",
       "egress",
       {"wrong-snat-address"},
       "as 192.168.16.99 instead of 192.168.16.10"},
      {"RateLimitedRejects",
       nothing,
       "  - then: {sysctl: {set: {net.ipv4.icmp_ratelimit: 100000, net.ipv4.icmp_ratemask: 6168}}}\n"
       "  - deny: {from: container-one, to: 10.1.2.3, how: reject, with: [udp/1, udp/2, udp/3, udp/4, udp/5, "
       "udp/6, udp/8, udp/9, udp/10, udp/11, udp/12]}",
       "deny",
       {"icmp-rate-limited"},
       "$ sysctl -w net.ipv4.icmp_ratemask=6160"},
      {"RateLimitedRejectsOverIPv6",
       nothing,
       "  - then: {sysctl: {set: {net.ipv6.icmp.ratelimit: 100000}}}\n"
       "  - deny: {from: container-one, to: \"fd00:1::3\", how: reject, with: [udp/1, udp/2, udp/3, udp/4, "
       "udp/5, "
       "udp/6, udp/8, udp/9, udp/10, udp/11, udp/12]}",
       "deny",
       {"icmp-rate-limited"},
       "$ sysctl -w net.ipv6.icmp.ratelimit=0"},
      {"NatLeakSeen",
       edited(kMasquerade, ""),
       "  - reach: {from: container-one, to: internet, with: [udp/7], family: ipv4}\n"
       "  - silent: {dev: ens4, filter: src net 192.168.99.0/24, control: 'host:bridge0'}",
       "silent",
       {"nat-leak"},
       "left host by ens4 with the container's own address 192.168.99.11"},
      {"NatLeakOfWhatIsNotTracked",
       nothing,
       "  - then: {nft: {rules: 'table ip guard { chain raw { type filter hook prerouting priority raw; ip "
       "saddr "
       "192.168.99.11 notrack; }; }'}}\n"
       "  - then: {nft: {rules: insert rule inet filter forward accept}}\n"
       "  - egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, with: [ping], family: "
       "ipv4}",
       "egress",
       {"nat-leak"},
       "$ nft delete rule ip guard raw handle"},
      {"OpenOverIPv6",
       edited(", \"fc00::/7\", \"2001:db8:16::/64\"", ""),
       "  - deny: {from: container-one, to: \"fd00:1::3\", with: tcp/80}",
       "deny",
       {"ipv6-open"},
       "ip6 daddr fd00:1::3 tcp dport 80 reject"},
      {"OpenOverIPv6BesideIptables",
       [](testing::Scenario& scenario) { scenario.edit(kForward, ""); },
       "  - then: {sysctl: {set: {net.ipv4.ip_forward: 1, net.ipv6.conf.all.forwarding: 1}}}\n"
       "  - run: {shell: 'iptables-nft -A FORWARD -i bridge0 -d 10.0.0.0/8 -j DROP'}\n"
       "  - deny: {from: container-one, to: \"fd00:1::3\", with: ping}",
       "deny",
       {"ipv6-open"},
       "$ nft add table ip6 guard"},
      {"RangeForgotten",
       edited("10.0.0.0/8, ", ""),
       "  - deny: {from: container-one, to: 10.1.2.3, with: tcp/80}",
       "deny",
       {"unexpected-accept"},
       "ip daddr 10.1.2.3 tcp dport 80 reject"},
      {"NoChainAtAll",
       [](testing::Scenario& scenario) { scenario.edit(kForward, ""); },
       "  - then: {sysctl: {set: {net.ipv4.ip_forward: 1}}}\n"
       "  - deny: {from: container-one, to: 10.1.2.3, with: [ping]}",
       "deny",
       {"unexpected-accept"},
       "Nothing filters at the hook forward of host"},
      {"AcceptedBehindAJump",
       nothing,
       "  - then: {nft: {rules: 'table inet filter { chain friends { accept; }; }; insert rule inet filter "
       "forward "
       "iifname bridge0 ip daddr 10.0.0.0/8 jump friends'}}\n"
       "  - deny: {from: container-one, to: 10.1.2.3, with: udp/53}",
       "deny",
       {"unexpected-accept"},
       "jump friends"},
      {"FramePastTheGuard",
       nothing,
       "  - then: {sysctl: {set: {net.bridge.bridge-nf-call-iptables: 0}}}\n"
       "  - deny: {from: container-one, to: container-two, with: [tcp/8080], family: ipv4}",
       "deny",
       {"unexpected-accept"},
       "as a frame of bridge0"},
  };
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, FirewallBreaks, ::testing::ValuesIn(breaks()),
                         [](const auto& each) { return std::string(each.param.name); });

/// By a macvlan on the uplink a container's frames meet no hook of the host's IP, but those of its device.
TEST(FirewallCauses, OfAWayPastTheFirewallIsTheMacvlanAndItsDeviceCanDrop) {
  const std::string onto_lan =
      "  - run: {shell: \"ip link add mac0 link ens4 type macvlan mode bridge; ip link set mac0 netns "
      "container-one; ip -n container-one addr add 192.168.16.21/24 dev mac0; ip -n container-one link set "
      "mac0 up; ip -n container-one route replace default via 192.168.16.1 dev mac0\"}\n";
  const std::string deny = "  - deny: {from: container-one, to: 10.1.2.3, with: [ping, tcp/80], how: drop}";
  testing::Scenario scenario;
  std::string fix = onto_lan;
  for (const auto& [id, check] : scenario.checks(onto_lan + deny).run()) {
    if (!id.starts_with("deny")) continue;
    EXPECT_EQ(check.verdict, Verdict::fail) << id << ": " << check.observed;
    ASSERT_EQ(check.causes.size(), 1U) << id;
    EXPECT_EQ(check.causes.front().code, "firewall-bypassed") << all_of(check.causes.front());
    fix += testing::run_step(testing::lines_of(check.causes.front().fix));
  }
  const bool drops_are_told = !kernel::drops::refused();
  for (const auto& [id, check] :
       scenario.checks(fix + deny).run({.timeout = std::chrono::milliseconds(500)})) {
    if (!id.starts_with("deny")) continue;
    EXPECT_EQ(check.verdict, drops_are_told ? Verdict::pass : Verdict::inconclusive)
        << id << ": " << check.observed;
  }
}

/// With no word from kernels about rules, the rules as they are must do.
TEST(FirewallCauses, AreFoundWhereNothingIsTraced) {
  for (const char* name :
       {"ForwardPolicy", "ForwardRuleOverIPv6OfIptables", "ForwardRuleOrder", "InputRule",
        "OutputPolicyOfTheContainer", "AnswersNotAccepted", "RangeForgotten", "OpenOverIPv6"}) {
    const auto all = breaks();
    const auto broken = std::ranges::find(all, std::string_view(name), &Break::name);
    ASSERT_NE(broken, all.end()) << name;
    testing::Scenario scenario;
    broken->make(scenario);
    scenario.checks(broken->checks);
    for (const auto& [id, check] :
         scenario.run({.timeout = std::chrono::milliseconds(250), .trace_rules = false})) {
      if (!id.starts_with(broken->failing)) continue;
      std::string causes;
      for (const Cause& cause : check.causes) causes += all_of(cause);
      ASSERT_EQ(check.causes.size(), 1U) << name << ": " << check.observed << "\n" << causes;
      EXPECT_EQ(check.causes.front().code, broken->codes.front()) << all_of(check.causes.front());
    }
  }
}

}  // namespace
}  // namespace plumbline::engine
