#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/kernel/nftables/listing.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::kernel::nft {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The ruleset as nft lists it, without handles.
std::string plain(const Netns& netns) {
  return std::regex_replace(list_text(netns), std::regex(" # handle [0-9]+"), "");
}

Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

Ruleset one_rule(Family family, BaseChain base, Rule rule) {
  return {{{family, "t", {{"other", std::nullopt, {}}, {"c", base, {std::move(rule)}}}}}};
}

/// The error that `action` throws.
template <class Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error("nothing");
}

struct Case {
  const char* about;
  Family family;
  BaseChain base;
  Rule rule;
  const char* listed;
};
void PrintTo(const Case& example, std::ostream* out) {
  *out << example.about;
}

constexpr BaseChain kForward{};
constexpr BaseChain kPostrouting{ChainType::nat, Hook::postrouting, 100, Policy::accept};
constexpr BaseChain kBridgeInput{ChainType::filter, Hook::input, -200, Policy::accept};
constexpr auto kTcp = Protocol{6};

Rule rule_of(std::vector<Match> matches, Verdict verdict = Accept{}) {
  return {std::move(matches), std::move(verdict), false, ""};
}
Rule reject_with(Reject::With with) {
  return rule_of({}, Reject{with});
}

std::vector<Case> matches() {
  return {
      {"InputInterface", Family::inet, kForward, rule_of({InputInterface{"eth0"}}),
       "iifname \"eth0\" accept"},
      {"OutputInterface", Family::ip, kForward, rule_of({OutputInterface{"fifteen-letters"}}),
       "oifname \"fifteen-letters\" accept"},
      {"InterfacePrefix", Family::inet, kForward, rule_of({InputInterface{"veth*"}}),
       "iifname \"veth*\" accept"},
      {"SourceInIp", Family::ip, kForward, rule_of({Source{prefix("10.0.0.0/8")}}),
       "ip saddr 10.0.0.0/8 accept"},
      {"SourceInInet", Family::inet, kForward, rule_of({Source{prefix("172.16.0.0/12")}}),
       "ip saddr 172.16.0.0/12 accept"},
      {"OddLength", Family::inet, kForward, rule_of({Destination{prefix("100.64.0.0/10")}}),
       "ip daddr 100.64.0.0/10 accept"},
      {"HostAddress", Family::inet, kForward, rule_of({Destination{prefix("192.168.16.53")}}),
       "ip daddr 192.168.16.53 accept"},
      {"SourceAndDestination", Family::inet, kForward,
       rule_of({Source{prefix("192.168.99.0/24")}, Destination{prefix("169.254.0.0/16")}}),
       "ip saddr 192.168.99.0/24 ip daddr 169.254.0.0/16 accept"},
      {"EverythingInIp", Family::ip, kForward, rule_of({Destination{prefix("0.0.0.0/0")}}, Drop{}), "drop"},
      {"EverythingInInet", Family::inet, kForward, rule_of({Destination{prefix("0.0.0.0/0")}}, Drop{}),
       "meta nfproto ipv4 drop"},
      {"SixInIp6", Family::ip6, kForward, rule_of({Source{prefix("fd00:1::/33")}}),
       "ip6 saddr fd00:1::/33 accept"},
      {"SixInInet", Family::inet, kForward, rule_of({Destination{prefix("2001:db8:ffff::80")}}),
       "ip6 daddr 2001:db8:ffff::80 accept"},
      {"FourInBridge", Family::bridge, kBridgeInput, rule_of({Source{prefix("10.0.0.0/9")}}),
       "ip saddr 10.0.0.0/9 accept"},
      {"SixInBridge", Family::bridge, kBridgeInput, rule_of({Source{prefix("fd00::/8")}}),
       "ip6 saddr fd00::/8 accept"},
      {"Protocol", Family::inet, kForward, rule_of({Protocol{1}}), "meta l4proto icmp accept"},
      {"DestinationPort", Family::inet, kForward, rule_of({kTcp, DestinationPort{8080}}),
       "tcp dport 8080 accept"},
      {"SourcePort", Family::ip, kForward, rule_of({Protocol{17}, SourcePort{53}}), "udp sport 53 accept"},
      {"ConntrackState", Family::inet, kForward,
       rule_of({ConntrackState{.established = true, .related = true}}),
       "ct state established,related accept"},
      {"ConntrackInvalid", Family::inet, kForward,
       rule_of({ConntrackState{.new_ = true, .invalid = true}}, Drop{}), "ct state invalid,new drop"},
      {"TransportBytes", Family::inet, kForward, rule_of({Protocol{17}, TransportBytes{8, {'P', 'L'}}}),
       "meta l4proto udp @th,64,16 0x504c accept"},
      {"AllTogether", Family::inet, kForward,
       rule_of({InputInterface{"bridge0"}, OutputInterface{"ens4"}, Source{prefix("192.168.99.0/24")},
                Destination{prefix("192.168.16.53")}, Protocol{17}, DestinationPort{53},
                ConntrackState{.new_ = true}}),
       "iifname \"bridge0\" oifname \"ens4\" ip saddr 192.168.99.0/24 ip daddr 192.168.16.53 udp dport 53 ct "
       "state "
       "new accept"},
  };
}

std::vector<Case> verdicts() {
  using With = Reject::With;
  return {
      {"Return", Family::inet, kForward, rule_of({}, Return{}), "return"},
      {"Jump", Family::inet, kForward, rule_of({kTcp}, Jump{"other"}), "meta l4proto tcp jump other"},
      {"Masquerade", Family::ip, kPostrouting, rule_of({OutputInterface{"ens4"}}, Masquerade{}),
       "oifname \"ens4\" masquerade"},
      {"MasqueradeInet", Family::inet, kPostrouting,
       rule_of({Source{prefix("192.168.99.0/24")}}, Masquerade{}), "ip saddr 192.168.99.0/24 masquerade"},
      {"RejectIp", Family::ip, kForward, reject_with(With::port_unreachable), "reject"},
      {"RejectHostIp", Family::ip, kForward, reject_with(With::host_unreachable),
       "reject with icmp host-unreachable"},
      {"RejectNetIp", Family::ip, kForward, reject_with(With::net_unreachable),
       "reject with icmp net-unreachable"},
      {"RejectAdminIp", Family::ip, kForward, reject_with(With::admin_prohibited),
       "reject with icmp admin-prohibited"},
      {"RejectIp6", Family::ip6, kForward, reject_with(With::port_unreachable), "reject"},
      {"RejectHostIp6", Family::ip6, kForward, reject_with(With::host_unreachable),
       "reject with icmpv6 addr-unreachable"},
      {"RejectNetIp6", Family::ip6, kForward, reject_with(With::net_unreachable),
       "reject with icmpv6 no-route"},
      {"RejectAdminIp6", Family::ip6, kForward, reject_with(With::admin_prohibited),
       "reject with icmpv6 admin-prohibited"},
      {"RejectInet", Family::inet, kForward, reject_with(With::port_unreachable), "reject"},
      {"RejectHostInet", Family::inet, kForward, reject_with(With::host_unreachable),
       "reject with icmpx host-unreachable"},
      {"RejectNetInet", Family::inet, kForward, reject_with(With::net_unreachable),
       "reject with icmpx no-route"},
      {"RejectAdminInet", Family::inet, kForward, reject_with(With::admin_prohibited),
       "reject with icmpx admin-prohibited"},
      {"Reset", Family::inet, kForward, rule_of({kTcp, DestinationPort{25}}, Reject{With::tcp_reset}),
       "tcp dport 25 reject with tcp reset"},
      {"ResetAlone", Family::ip, kForward, reject_with(With::tcp_reset), "reject with tcp reset"},
      {"Traced", Family::inet, kForward, rule_of({kTcp}, Traced{}),
       "meta l4proto tcp meta nftrace set 1 accept"},
      {"Counter", Family::inet, kForward, {{}, Drop{}, true, ""}, "counter packets 0 bytes 0 drop"},
      {"Comment",
       Family::inet,
       kForward,
       {{}, Accept{}, true, "keep containers out"},
       "counter packets 0 bytes 0 accept comment \"keep containers out\""},
      {"LongestComment",
       Family::inet,
       kForward,
       {{},
        Accept{},
        false,
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123"
        "456789"
        "abcdef0123456789abcdef"},
       "accept comment "
       "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef012"
       "34567"
       "89abcdef0123456789abcdef\""},
  };
}

class NftListed : public ::testing::TestWithParam<Case> {};

TEST_P(NftListed, AsNftWouldWriteIt) {
  const Case& example = GetParam();
  const Netns netns = Netns::create();
  apply(netns, one_rule(example.family, example.base, example.rule));
  EXPECT_THAT(plain(netns), HasSubstr(fmt::format("\n\t\t{}\n\t}}\n", example.listed)));

  // The same by nft's own encoder, in another namespace: nothing but the handles differ.
  const Netns copy = Netns::create();
  load_text(copy, plain(netns), "the listing");
  EXPECT_EQ(plain(copy), plain(netns));
}

const auto kName = [](const auto& info) { return info.param.about; };
INSTANTIATE_TEST_SUITE_P(Match, NftListed, ::testing::ValuesIn(matches()), kName);
INSTANTIATE_TEST_SUITE_P(Verdict, NftListed, ::testing::ValuesIn(verdicts()), kName);

TEST(NftApply, ListsTablesChainsAndPolicies) {
  const Netns netns = Netns::create();
  apply(netns,
        {{{Family::inet, "guard", {{"forward", BaseChain{.policy = Policy::drop}, {}}, {"extra", {}, {}}}},
          {Family::ip, "nat", {{"post", kPostrouting, {}}}}}});
  EXPECT_EQ(plain(netns),
            "table inet guard {\n"
            "\tchain forward {\n"
            "\t\ttype filter hook forward priority filter; policy drop;\n"
            "\t}\n"
            "\n"
            "\tchain extra {\n"
            "\t}\n"
            "}\n"
            "table ip nat {\n"
            "\tchain post {\n"
            "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
            "\t}\n"
            "}\n");
}

TEST(NftApply, EveryHook) {
  const Netns netns = Netns::create();
  Ruleset ruleset{{{Family::inet, "t", {}}}};
  const std::array names{"prerouting", "input", "forward", "output", "postrouting"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    ruleset.tables[0].chains.push_back(
        {names[i], BaseChain{.hook = static_cast<Hook>(i), .priority = 1000}, {}});
  }
  apply(netns, ruleset);
  for (const char* name : names) {
    EXPECT_THAT(plain(netns),
                HasSubstr(fmt::format("chain {0} {{\n\t\ttype filter hook {0} priority 1000;", name)));
  }
}

TEST(NftApply, AddsToWhatIsThere) {
  const Netns netns = Netns::create();
  apply(netns, one_rule(Family::inet, kForward, rule_of({kTcp}, Drop{})));
  apply(netns, one_rule(Family::inet, kForward, rule_of({Protocol{17}}, Drop{})));
  EXPECT_THAT(plain(netns), HasSubstr("\t\tmeta l4proto tcp drop\n\t\tmeta l4proto udp drop\n"));
}

TEST(NftApply, EmptyRulesetIsNothing) {
  const Netns netns = Netns::create();
  apply(netns, {});
  EXPECT_EQ(plain(netns), "");
}

TEST(NftApply, StaysInItsNamespace) {
  const Netns netns = Netns::create();
  apply(netns, {{{Family::inet, "inner", {}}}});
  EXPECT_EQ(plain(Netns::current()), "");
}

TEST(NftApply, RefusalNamesTheRuleAndLeavesNothing) {
  const Netns netns = Netns::create();
  Ruleset ruleset = one_rule(Family::inet, kForward, rule_of({kTcp}));
  auto& rules = ruleset.tables[0].chains[1].rules;
  rules.push_back({{}, Jump{"nowhere"}, true, "to nowhere"});
  rules.push_back(rule_of({}, Masquerade{}));
  const Error error = error_of([&] { apply(netns, ruleset); });
  EXPECT_THAT(error.what(), HasSubstr("adding rule 2 (\"to nowhere\") of chain c of table inet t: "));
  EXPECT_EQ(error.error_number(), ENOENT);
  EXPECT_THAT(error.remedy(), HasSubstr("a chain it jumps to does not exist"));
  EXPECT_EQ(plain(netns), "");
}

TEST(NftApply, RefusalOfAVerdict) {
  const Netns netns = Netns::create();
  const Error error =
      error_of([&] { apply(netns, one_rule(Family::inet, kForward, rule_of({}, Masquerade{}))); });
  EXPECT_THAT(error.what(), HasSubstr("adding rule 1 of chain c of table inet t: "));
  EXPECT_THAT(error.remedy(), HasSubstr("verdict"));
}

TEST(NftApply, RefusalOfAChain) {
  const Netns netns = Netns::create();
  const BaseChain impossible{ChainType::nat, Hook::forward, 0, Policy::accept};
  const Error error = error_of([&] { apply(netns, {{{Family::ip, "t", {{"c", impossible, {}}}}}}); });
  EXPECT_THAT(error.what(), HasSubstr("adding chain c of table ip t: "));
  EXPECT_EQ(plain(netns), "");
}

TEST(NftApply, FailedTransactionLeavesTheOldOne) {
  const Netns netns = Netns::create();
  apply(netns, one_rule(Family::inet, kForward, rule_of({kTcp})));
  const std::string before = list_text(netns);
  Ruleset second{{{Family::ip, "second", {}}}};
  second.tables.push_back(one_rule(Family::inet, kForward, rule_of({}, Jump{"nowhere"})).tables[0]);
  error_of([&] { apply(netns, second); });
  EXPECT_EQ(list_text(netns), before);
}

Ruleset many_rules(int count, const Verdict& verdict) {
  Ruleset ruleset = one_rule(Family::inet, kForward, rule_of({}));
  auto& rules = ruleset.tables[0].chains[1].rules;
  rules.clear();
  for (int i = 0; i < count; ++i) {
    const auto low = static_cast<std::uint8_t>(i % 256);
    const auto high = static_cast<std::uint8_t>(i / 256);
    const Destination network{Prefix(IpAddress::v4({10, high, low, 0}), 24)};
    rules.push_back({{InputInterface{"bridge0"}, network}, verdict, true, fmt::format("number {}", i + 1)});
  }
  return ruleset;
}

TEST(NftApply, ThousandRulesInOneTransaction) {
  const Netns netns = Netns::create();
  apply(netns, many_rules(1000, Accept{}));
  const std::string text = plain(netns);
  std::size_t found = 0;
  for (std::size_t at = text.find(" comment "); at != text.npos; at = text.find(" comment ", at + 1)) ++found;
  EXPECT_EQ(found, 1000U);
  EXPECT_THAT(text, HasSubstr("iifname \"bridge0\" ip daddr 10.3.231.0/24 counter packets 0 bytes 0 accept"));
  EXPECT_LT(text.find("comment \"number 999\""), text.find("comment \"number 1000\""));
}

TEST(NftApply, ThousandRefusalsTellTheFirst) {
  const Netns netns = Netns::create();
  const Error error = error_of([&] { apply(netns, many_rules(1000, Jump{"nowhere"})); });
  EXPECT_THAT(error.what(), HasSubstr("adding rule 1 (\"number 1\") of chain c of table inet t: "));
  EXPECT_EQ(plain(netns), "");
}

TEST(NftText, LoadsARuleset) {
  const Netns netns = Netns::create();
  const std::string text =
      "define lan = 192.168.16.0/24\n"
      "table inet guard {\n"
      "  set inner { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 172.16.0.0/12 } }\n"
      "  chain forward {\n"
      "    type filter hook forward priority 0; policy drop;\n"
      "    ip daddr @inner reject\n"
      "    ip daddr $lan accept\n"
      "  }\n"
      "}\n";
  load_text(netns, text, "nft of host");
  EXPECT_THAT(list_text(netns), AllOf(HasSubstr("ip daddr @inner reject"),
                                      HasSubstr("ip daddr 192.168.16.0/24"), HasSubstr("# handle")));
  EXPECT_EQ(plain(Netns::current()), "");
}

TEST(NftText, ErrorHasLineColumnAndPlace) {
  const Netns netns = Netns::create();
  const Error error = error_of([&] {
    load_text(netns, "table ip good {\n}\ntable ip t {\n  chain c { bogus words; }\n}\n", "nft of host");
  });
  EXPECT_THAT(error.what(), AllOf(HasSubstr("nft of host:4:13-17: Error: "),
                                  HasSubstr("chain c { bogus words; }"), HasSubstr("^^^^^")));
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_EQ(plain(netns), "");
}

TEST(NftText, KernelRefusalHasItsPlaceAndLeavesNothing) {
  const Netns netns = Netns::create();
  const Error error = error_of([&] {
    load_text(netns,
              "add table ip t\nadd chain ip t c\nadd rule ip t c masquerade\nadd rule ip t c jump nowhere\n",
              "host.nft");
  });
  EXPECT_THAT(error.what(), HasSubstr("host.nft:4:"));
  EXPECT_EQ(plain(netns), "");
}

TEST(NftText, EmptyTextAndNul) {
  const Netns netns = Netns::create();
  load_text(netns, "", "nft of host");
  EXPECT_EQ(list_text(netns), "");
  const Error error =
      error_of([&] { load_text(netns, std::string_view("add table t\0x", 13), "nft of host"); });
  EXPECT_THAT(error.what(), HasSubstr("nft of host: a NUL"));
}

TEST(NftText, MissingInterfaceIsLookedUpInTheNamespace) {
  const Netns netns = Netns::create();
  load_text(netns, "table ip t {\n chain c {\n  iif \"lo\" accept\n }\n}\n", "nft of host");
  EXPECT_THAT(plain(netns), HasSubstr("iif \"lo\" accept"));
}

/// What the nft of this machine lists in `path`'s namespace.
std::string listed_by_nft(const std::string& name) {
  const std::string command = fmt::format("ip netns exec {} nft -a list ruleset", name);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  std::array<char, 4096> chunk{};
  while (pipe) {
    const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe.get());
    if (got == 0) break;
    text.append(chunk.data(), got);
  }
  return text;
}

/// Once libxtables has looked for the target of one family, it does not find that of the other.
TEST(NftText, WhatItCannotTranslateIsListedAndNothingIsSaidOnStandardError) {
  const Netns netns = Netns::create();
  for (const char* tool : {"iptables-nft", "ip6tables-nft"}) {
    const Netns::Entered inside(netns);
    const std::string command = std::string(tool) + " -w -t nat -A POSTROUTING -o lo -j MASQUERADE";
    ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(concurrency-mt-unsafe): one thread
  }
  ::testing::internal::CaptureStderr();
  const std::string text = list_text(netns);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(text,
              AllOf(HasSubstr("table ip nat"), HasSubstr("table ip6 nat"), HasSubstr("oifname \"lo\"")));
  std::size_t targets = 0;
  for (const TextChain& chain : parse_chains(text)) {
    for (const TextRule& rule : chain.rules) {
      const bool named =
          rule.text.ends_with(" masquerade") || rule.text.ends_with(" xt target \"MASQUERADE\"");
      EXPECT_TRUE(named) << rule.text;
      ++targets;
    }
  }
  EXPECT_EQ(targets, 2U);
}

TEST(NftText, ListsWhatTheToolLists) {
  const Netns netns = Netns::create();
  apply(netns, many_rules(3, Reject{}));
  netns.bind("/run/netns/listed");
  const ScopeExit unbind([] { Netns::unbind("/run/netns/listed"); });
  EXPECT_EQ(list_text(netns), listed_by_nft("listed"));
}

}  // namespace
}  // namespace plumbline::kernel::nft
