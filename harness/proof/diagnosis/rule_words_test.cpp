#include "harness/proof/diagnosis/rule_words.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof::firewall {
namespace {

using Verdict = RuleWords::Verdict;
using testing::ip;
constexpr auto kNft = RuleMet::Backend::nftables;
constexpr auto kLegacy = RuleMet::Backend::iptables_legacy;

RulePacket request() {
  RulePacket packet;
  packet.source = ip("192.168.99.11");
  packet.destination = ip("10.1.2.3");
  packet.iif = "bridge0";
  packet.oif = "ens4";
  packet.protocol = IPPROTO_TCP;
  packet.destination_port = 80;
  packet.state = "new";
  return packet;
}

struct Words {
  RuleMet::Backend backend;
  const char* text;
  Match match;  ///< of `request()`
  Verdict verdict;
};

class RuleText : public ::testing::TestWithParam<Words> {};

TEST_P(RuleText, IsReadAsItIsMeant) {
  const RuleWords words = read_rule(GetParam().backend, GetParam().text);
  EXPECT_EQ(static_cast<int>(matches(words, request())), static_cast<int>(GetParam().match))
      << GetParam().text;
  EXPECT_EQ(static_cast<int>(words.verdict), static_cast<int>(GetParam().verdict)) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    OfNft, RuleText,
    ::testing::Values(
        Words{kNft, "", Match::yes, Verdict::none},
        Words{kNft, "counter packets 1 bytes 2 drop", Match::yes, Verdict::drop},
        Words{kNft, "iifname \"bridge0\" ip daddr 10.0.0.0/8 counter reject comment \"drop or accept\"",
              Match::yes, Verdict::reject},
        Words{kNft, "iifname \"br*\" accept", Match::yes, Verdict::accept},
        Words{kNft, "iifname { \"a\", \"b\" } accept", Match::no, Verdict::accept},
        Words{kNft, "oifname != \"docker0\" ip saddr 192.168.99.0/24 masquerade", Match::yes,
              Verdict::masquerade},
        Words{kNft, "ip daddr != 10.0.0.0/8 drop", Match::no, Verdict::drop},
        Words{kNft, "ip daddr { 1.1.1.1, 10.1.2.0-10.1.2.9 } tcp dport { 22, 79-81 } drop", Match::yes,
              Verdict::drop},
        Words{kNft, "ip6 daddr fc00::/7 reject", Match::no, Verdict::reject},
        Words{kNft, "meta nfproto ipv6 reject", Match::no, Verdict::reject},
        Words{kNft, "meta l4proto { tcp, udp } th dport 53 accept", Match::no, Verdict::accept},
        Words{kNft, "meta l4proto udp accept", Match::no, Verdict::accept},
        Words{kNft, "ip protocol tcp tcp dport 80 accept", Match::yes, Verdict::accept},
        Words{kNft, "udp dport 80 accept", Match::no, Verdict::accept},
        Words{kNft, "ct state established,related accept", Match::no, Verdict::accept},
        Words{kNft, "ct state { new, established } accept", Match::yes, Verdict::accept},
        Words{kNft, "ether type ip6 drop", Match::no, Verdict::drop},
        Words{kNft, "ether type { ip, arp } accept", Match::yes, Verdict::accept},
        Words{kNft, "ether saddr 02:00:00:00:00:01 drop", Match::maybe, Verdict::drop},
        Words{kNft, "ct state invalid  counter packets 0 bytes 0 drop", Match::no, Verdict::drop},
        Words{kNft, "ct state vmap { established : accept, invalid : drop }", Match::maybe, Verdict::other},
        Words{kNft, "ip saddr @friends accept", Match::maybe, Verdict::accept},
        Words{kNft, "limit rate 3/second burst 5 packets accept", Match::maybe, Verdict::accept},
        Words{kNft, "tcp flags syn / syn,ack drop", Match::maybe, Verdict::drop},
        Words{kNft, "ip daddr . tcp dport { 1.2.3.4 . 80 } drop", Match::maybe, Verdict::drop},
        Words{kNft, "fib daddr type local drop", Match::maybe, Verdict::drop},
        Words{kNft, "xt match physdev counter packets 0 bytes 0 accept", Match::maybe, Verdict::accept},
        Words{kNft, "counter packets 0 bytes 0 xt target \"CT\"", Match::maybe, Verdict::other},
        Words{kNft, "oifname \"ens4\" counter packets 0 bytes 0 xt target \"MASQUERADE\"", Match::yes,
              Verdict::masquerade},
        Words{kNft, "meta mark 0x00000003 drop", Match::maybe, Verdict::drop},
        Words{kNft, "meta mark set 0x00000003 accept", Match::yes, Verdict::accept},
        Words{kNft, "log prefix \"accept \" level info flags all drop", Match::yes, Verdict::drop},
        Words{kNft, "ip saddr 192.168.99.11 notrack", Match::yes, Verdict::none},
        Words{kNft, "iifname \"bridge0\" jump guard", Match::yes, Verdict::jump},
        Words{kNft, "oifname \"ens4\" snat ip to 192.168.16.10", Match::yes, Verdict::snat},
        Words{kNft, "tcp dport 80 dnat to 10.0.0.1:80", Match::yes, Verdict::dnat},
        Words{kNft, "tcp dport 80 redirect to :3128", Match::yes, Verdict::dnat},
        Words{kNft, "tcp dport 80 tproxy to :3128 accept", Match::yes, Verdict::dnat},
        Words{kNft, "tcp dport 80 counter packets 0 bytes 0 xt target \"REDIRECT\"", Match::yes,
              Verdict::dnat},
        Words{kNft, "tcp dport 80 jump CNI-HOSTPORT-DNAT", Match::yes, Verdict::jump},
        Words{kNft, "ct status dnat accept", Match::maybe, Verdict::accept},
        Words{kNft, "ct status != snat,dnat drop", Match::maybe, Verdict::drop},
        Words{kNft, "reject with icmp port-unreachable", Match::yes, Verdict::reject}));

INSTANTIATE_TEST_SUITE_P(
    OfIptables, RuleText,
    ::testing::Values(
        Words{kLegacy, "-A FORWARD -d 10.0.0.0/8 -i bridge0 -j REJECT --reject-with icmp-port-unreachable",
              Match::yes, Verdict::reject},
        Words{kLegacy, "-A FORWARD ! -d 10.0.0.0/8 -j DROP", Match::no, Verdict::drop},
        Words{kLegacy, "-A FORWARD -i br+ -p tcp -m tcp --dport 79:81 -j ACCEPT", Match::yes,
              Verdict::accept},
        Words{kLegacy, "-A FORWARD ! -i bridge0 -j ACCEPT", Match::no, Verdict::accept},
        Words{kLegacy, "-A FORWARD -p udp -m udp --dport 80 -j ACCEPT", Match::no, Verdict::accept},
        Words{kLegacy, "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", Match::no,
              Verdict::accept},
        Words{kLegacy, "-A FORWARD -m conntrack -j ACCEPT", Match::maybe, Verdict::accept},
        Words{kLegacy, "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT", Match::maybe, Verdict::accept},
        Words{kLegacy, "-A FORWARD -m comment --comment \"-j DROP\" -j ACCEPT", Match::yes, Verdict::accept},
        Words{kLegacy, "-A FORWARD -m comment --comment \"a \\\"b\\\" -j DROP\" -j ACCEPT", Match::yes,
              Verdict::accept},
        Words{kLegacy, "-A FORWARD -j LOG --log-prefix \"-j DROP\"", Match::yes, Verdict::none},
        Words{kLegacy, "-A FORWARD -j DOCKER-USER", Match::yes, Verdict::jump},
        Words{kLegacy, "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:81",
              Match::yes, Verdict::dnat},
        Words{kLegacy, "-A PREROUTING -j CNI-HOSTPORT-DNAT", Match::yes, Verdict::jump},
        Words{kLegacy, "-A FORWARD -g guard", Match::yes, Verdict::go_to},
        Words{kLegacy, "-A POSTROUTING -s 192.168.99.0/24 ! -o bridge0 -j MASQUERADE", Match::yes,
              Verdict::masquerade}));

TEST(RuleWords, AreAboutArpOnlyWhereTheyAreNotAboutIp) {
  RulePacket packet = request();
  packet.arp = true;
  EXPECT_EQ(matches(read_rule(kNft, "ether type arp drop"), packet), Match::yes);
  EXPECT_EQ(matches(read_rule(kNft, "iifname bridge0 drop"), packet), Match::yes);
  EXPECT_EQ(matches(read_rule(kNft, "ether type ip accept"), packet), Match::no);
  EXPECT_EQ(matches(read_rule(kNft, "ip daddr 0.0.0.0/0 accept"), packet), Match::no);
  EXPECT_EQ(matches(read_rule(kNft, "arp operation request drop"), packet), Match::maybe);
}

TEST(RuleWords, NameTargetsAndAddresses) {
  EXPECT_EQ(read_rule(kNft, "goto friends").target, "friends");
  EXPECT_EQ(read_rule(kNft, "snat to 1.2.3.4").target, "1.2.3.4");
  EXPECT_EQ(read_rule(kLegacy, "-A POSTROUTING -j SNAT --to-source 1.2.3.4").target, "1.2.3.4");
}

TEST(RuleWords, CoverWhatIsNarrower) {
  const auto rule = [](const char* text) { return read_rule(kNft, text); };
  EXPECT_TRUE(covers(rule("drop"), rule("ip daddr 10.0.0.1 accept"), true));
  EXPECT_TRUE(covers(rule("ip daddr 10.0.0.0/8 drop"),
                     rule("iifname a ip daddr 10.0.0.1 tcp dport 80 accept"), true));
  EXPECT_FALSE(covers(rule("ip daddr 10.0.0.0/8 drop"), rule("ip daddr 9.0.0.0-10.0.0.1 accept"), true));
  EXPECT_FALSE(covers(rule("ip daddr 10.0.0.0/8 drop"), rule("iifname a accept"), true));
  EXPECT_FALSE(covers(rule("iifname b drop"), rule("oifname a accept"), true));
  EXPECT_TRUE(covers(rule("iifname b drop"), rule("oifname a accept"), false));
  EXPECT_FALSE(covers(rule("ip daddr @x drop"), rule("ip daddr 10.0.0.1 accept"), true));
}

class Decisions : public ::testing::Test {
 protected:
  Chain& add(const std::string& name, const std::string& policy, const std::vector<std::string>& rules) {
    Chain& chain = chains.emplace_back();
    chain.family = "inet";
    chain.table = "filter";
    chain.name = name;
    chain.policy = policy;
    for (const std::string& text : rules) chain.rules.push_back({chain.rules.size() + 1, text, "", {}});
    return chain;
  }
  std::vector<Chain> chains;
};

TEST_F(Decisions, FollowJumpsAndComeBack) {
  add("guard", "", {"ip daddr 172.16.0.0/12 drop", "ip daddr 10.1.2.3 return", "drop"});
  add("forward", "drop", {"iifname bridge0 jump guard", "tcp dport 80 accept"});
  const Decision decision = decide(chains, chains[1], request());
  EXPECT_EQ(decision.verdict, Verdict::accept);
  ASSERT_NE(decision.rule, nullptr);
  EXPECT_EQ(decision.rule->number, 2U);
}

TEST_F(Decisions, DoNotComeBackFromAGoto) {
  add("guard", "", {"tcp dport 81 drop"});
  add("forward", "drop", {"goto guard", "accept"});
  const Decision decision = decide(chains, chains[1], request());
  EXPECT_EQ(decision.verdict, Verdict::drop);
  EXPECT_EQ(decision.rule, nullptr);
}

TEST_F(Decisions, EndInADoubtWhereARuleIsNotUnderstood) {
  add("forward", "drop", {"ip saddr @friends accept", "accept"});
  EXPECT_FALSE(decide(chains, chains[0], request()).certain());
}

TEST_F(Decisions, EndWhereChainsJumpInCircles) {
  add("forward", "drop", {"jump forward"});
  EXPECT_FALSE(decide(chains, chains[0], request()).certain());
}

}  // namespace
}  // namespace plumbline::proof::firewall
