#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/nftables/listing.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::kernel::nft {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;

/// "a: udp dport 1 drop".
std::vector<std::string> rules(const Listing& listing) {
  std::vector<std::string> lines;
  for (const auto& [key, rule] : listing.rules) lines.push_back(std::get<2>(key) + ": " + rule.text);
  return lines;
}

constexpr const char* kTwoChains =
    "table ip t {\n chain a { udp dport 1 drop; }\n chain b { log prefix \"b \" reject; }\n"
    " chain base { type filter hook input priority 7; udp dport 2 jump a; }\n}\n"
    "table ip6 t {\n chain a { udp dport 3 drop; }\n}\n";

class NftLister : public testing::Test {
 protected:
  const Listing& complete(const std::set<Listing::ChainKey>& chains) {
    lister_.complete(listing_, chains);
    return listing_;
  }

  Netns netns_ = Netns::create();
  Lister lister_{netns_};
  Listing listing_;
};

TEST_F(NftLister, ReadsTheChainsAskedForAndKeepsThem) {
  load_text(netns_, kTwoChains, "nft");
  const ListedChain* base = complete({}).chain("ip", "t", "base");
  ASSERT_NE(base, nullptr);
  EXPECT_EQ(base->priority, 7);
  EXPECT_THAT(rules(listing_), IsEmpty());
  EXPECT_THAT(rules(complete({{"ip", "t", "a"}})), ElementsAre("a: udp dport 1 drop"));
  EXPECT_THAT(rules(complete({{"ip", "t", "b"}})),
              ElementsAre("a: udp dport 1 drop", "b: log prefix \"b \" reject"));
  EXPECT_TRUE(listing_.rules.rbegin()->second.rejects);
  EXPECT_THAT(listing_.rules.rbegin()->second.log_prefix, Optional(std::string("b ")));
  EXPECT_EQ(complete({{"ip", "t", "a"}, {"ip6", "t", "a"}}).rules.size(), 3U);
}

TEST_F(NftLister, ReadsAFamilyOrAll) {
  load_text(netns_, kTwoChains, "nft");
  EXPECT_THAT(rules(complete({{"ip6", "", ""}})), ElementsAre("a: udp dport 3 drop"));
  EXPECT_THAT(rules(complete({{"bridge", "", ""}, {"ip6", "t", "a"}})), ElementsAre("a: udp dport 3 drop"));
  EXPECT_EQ(complete({{"", "", ""}}).rules.size(), 4U);
  EXPECT_THAT(rules(listing_), Contains("b: log prefix \"b \" reject"));
  EXPECT_EQ(rules(list(netns_)), rules(listing_));
}

TEST_F(NftLister, BeginsAnewWhenTheRulesetChanged) {
  load_text(netns_, kTwoChains, "nft");
  complete({{"ip", "t", "a"}, {"ip", "t", "b"}});
  load_text(netns_, "add rule ip t a accept\n", "nft");
  EXPECT_THAT(rules(complete({{"ip", "t", "a"}})), ElementsAre("a: udp dport 1 drop", "a: accept"));
  load_text(netns_, "flush ruleset\n", "nft");
  EXPECT_THAT(rules(complete({{"ip", "t", "a"}})), IsEmpty());
  EXPECT_THAT(listing_.chains, IsEmpty());
}

TEST_F(NftLister, PassesOverWhatDoesNotExist) {
  load_text(netns_, kTwoChains, "nft");
  EXPECT_THAT(rules(complete({{"ip", "t", "none"}, {"ip", "none", "a"}, {"arp", "t", "a"}})), IsEmpty());
}

TEST_F(NftLister, ListsSetsAndMaps) {
  load_text(netns_,
            "table inet t {\n set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }; }\n"
            " chain other { accept; }\n"
            " chain a { ip daddr @s drop; ip daddr { 10.0.0.3, 10.0.0.4 } drop;\n"
            "  udp dport vmap { 1 : jump other, 2 : drop }; }\n}\n",
            "nft");
  EXPECT_THAT(rules(complete({{"inet", "t", "a"}})),
              ElementsAre("a: ip daddr @s drop", "a: ip daddr { 10.0.0.3, 10.0.0.4 } drop",
                          "a: udp dport vmap { 1 : jump other, 2 : drop }"));
}

TEST_F(NftLister, ListsWhatNftCannotName) {
  Ruleset ruleset;
  ruleset.tables.push_back({Family::ip, "t", {}, false});
  const std::vector<std::string> names{"log", "a:b", "7"};
  for (const std::string& name : names) {
    ruleset.tables[0].chains.push_back(
        {name, std::nullopt, {{{Protocol{17}, DestinationPort{1}}, Drop{}, false, {}}}});
  }
  apply(netns_, ruleset);
  const std::uint32_t before = generation(netns_);
  std::set<Listing::ChainKey> chains;
  for (const std::string& name : names) {
    chains.emplace("ip", "t", name);
    EXPECT_EQ(list_chain_text(netns_, "ip", "t", name), std::nullopt) << name;
  }
  EXPECT_EQ(complete(chains).rules.size(), names.size());
  EXPECT_THAT(rules(listing_), Contains("log: udp dport 1 drop"));
  for (const char* name : {"x;flush ruleset", "a\nflush ruleset", "\"a\"", "a b", "*", ""}) {
    EXPECT_EQ(list_chain_text(netns_, "ip", "t", name), std::nullopt) << name;
    EXPECT_EQ(list_chain_text(netns_, "ip", name, "a"), std::nullopt) << name;
  }
  EXPECT_EQ(generation(netns_), before);
}

TEST_F(NftLister, ListsOneChainsText) {
  load_text(netns_, kTwoChains, "nft");
  EXPECT_THAT(list_chain_text(netns_, "ip", "t", "a"),
              Optional(AllOf(HasSubstr("udp dport 1 drop # handle"), Not(HasSubstr("reject")))));
  EXPECT_THAT(list_chain_text(netns_, "ip", "t", "none"), Optional(std::string()));
}

}  // namespace
}  // namespace plumbline::kernel::nft
