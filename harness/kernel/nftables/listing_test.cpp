#include "harness/kernel/nftables/listing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::kernel::nft {
namespace {

constexpr const char* kText =
    "# Warning: table ip filter is managed by iptables-nft, do not touch!\n"
    "table ip filter { # handle 1\n"
    "\tchain FORWARD { # handle 1\n"
    "\t\ttype filter hook forward priority filter; policy accept;\n"
    "\t\tmeta l4proto icmp  counter log prefix \"[FORWARD]  \" # handle 2\n"
    "\t}\n"
    "}\n"
    "table inet u { # handle 2\n"
    "\tcomment \"a table\"\n"
    "\tset inner { # handle 4\n"
    "\t\ttype ipv4_addr\n"
    "\t\telements = { 10.0.0.0/8,\n"
    "\t\t\t     172.16.0.0/12 }\n"
    "\t}\n"
    "\n"
    "\tchain f { # handle 1\n"
    "\t\tcomment \"a chain\"\n"
    "\t\ttype filter hook forward priority filter - 5; policy accept;\n"
    "\t\tip daddr { 10.0.0.0/8, 100.64.0.0/10,\n"
    "\t\t\t     172.16.0.0/12 } reject # handle 7\n"
    "\t\taccept comment \"abc # handle 9\" # handle 3\n"
    "\t}\n"
    "}\n";

TEST(NftListing, FindsRulesByHandle) {
  const auto rules = parse_rules(kText);
  using Key = Listing::RuleKey;
  EXPECT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules.at(Key{"ip", "filter", "FORWARD", 2}),
            "meta l4proto icmp counter log prefix \"[FORWARD]  \"");
  EXPECT_EQ(rules.at(Key{"inet", "u", "f", 7}),
            "ip daddr { 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12 } reject");
  EXPECT_EQ(rules.at(Key{"inet", "u", "f", 3}), "accept comment \"abc # handle 9\"");
}

TEST(NftListing, ReadsNothingBeyondACutText) {
  const std::string_view whole = kText;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_LE(parse_rules(std::string(whole.substr(0, length))).size(), 3U);
  }
}

}  // namespace
}  // namespace plumbline::kernel::nft
