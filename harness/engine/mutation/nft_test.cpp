#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/mutation/mutant.hpp"
#include "harness/engine/mutation/nft_sets.hpp"
#include "harness/engine/mutation/operators.hpp"

namespace plumbline::engine::mutation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Mutant> mutants(const std::string& nft) {
  NodeState state;
  state.node = "host";
  state.nft = nft;
  return mutants_of(state);
}

std::vector<std::string> ids(const std::string& nft) {
  std::vector<std::string> ids;
  for (const Mutant& mutant : mutants(nft)) ids.push_back(mutant.id);
  return ids;
}

std::string chain(const std::string& rules) {
  return "table inet t { # handle 1\n\tchain c { # handle 1\n" + rules + "\t}\n}\n";
}

TEST(NftMutants, ARuleIsDeletedFlippedAndItsPrefixesChanged) {
  const auto all =
      mutants(chain("\t\tip daddr 10.0.0.0/8 counter reject with icmp host-unreachable # handle 7\n"));
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].id, "delete host inet t c: ip daddr 10.0.0.0/8 counter reject with icmp host-unreachable");
  EXPECT_EQ(all[0].becomes, "");
  EXPECT_THAT(all[0].commands, ElementsAre("nft 'delete rule inet t c handle 7'"));
  EXPECT_THAT(
      all[0].unless_changed,
      ElementsAre("nft -sa list chain inet t c | tr -s ' \\t\\n' ' ' | grep -Fq -- ' ip daddr 10.0.0.0/8 "
                  "counter reject with icmp host-unreachable # handle 7 '"));
  EXPECT_EQ(all[1].becomes, "inet t c: ip daddr 10.0.0.0/8 counter accept");
  EXPECT_THAT(all[1].commands, ElementsAre("nft 'add rule inet t c handle 7 ip daddr 10.0.0.0/8 counter "
                                           "accept; delete rule inet t c handle 7'"));
  EXPECT_EQ(all[2].id,
            "widen 10.0.0.0/8 host inet t c: ip daddr 10.0.0.0/8 counter reject with icmp host-unreachable");
  EXPECT_EQ(all[2].becomes, "inet t c: ip daddr 10.0.0.0/7 counter reject with icmp host-unreachable");
  EXPECT_EQ(all[3].becomes, "inet t c: ip daddr 10.0.0.0/9 counter reject with icmp host-unreachable");
}

TEST(NftMutants, APolicyIsFlipped) {
  const auto all = mutants(chain("\t\ttype filter hook forward priority filter; policy drop;\n"));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, "flip host inet t c: policy drop");
  EXPECT_THAT(all[0].commands, ElementsAre("nft 'add chain inet t c { policy accept; }'"));
}

TEST(NftMutants, NeighboursAreSwappedWhereTheirOrderCounts) {
  const auto all =
      mutants(chain("\t\tip daddr 10.0.0.5 accept # handle 3\n\t\tip daddr 10.0.0.0/8 drop # handle 4\n"));
  const auto swap =
      std::find_if(all.begin(), all.end(), [](const Mutant& m) { return m.id.starts_with("swap"); });
  ASSERT_NE(swap, all.end());
  EXPECT_EQ(swap->id, "swap host inet t c: ip daddr 10.0.0.5 accept");
  EXPECT_EQ(swap->becomes, "inet t c: ip daddr 10.0.0.5 accept, behind: ip daddr 10.0.0.0/8 drop");
  EXPECT_EQ(swap->unless_changed.size(), 2U);
  EXPECT_THAT(
      swap->commands,
      ElementsAre(
          "nft 'delete rule inet t c handle 3; add rule inet t c handle 4 ip daddr 10.0.0.5 accept'"));
}

TEST(NftMutants, WhatNftCannotWriteIsDeletedAndPassedByItsNeighbour) {
  EXPECT_THAT(
      ids(chain("\t\txt match \"string\" counter drop # handle 3\n\t\ttcp dport 80 accept # handle 4\n")),
      ElementsAre("delete host inet t c: xt match \"string\" counter drop",
                  "swap host inet t c: xt match \"string\" counter drop",
                  "delete host inet t c: tcp dport 80 accept", "flip host inet t c: tcp dport 80 accept"));
}

TEST(NftMutants, OfTwoTheSameOneIsDeleted) {
  EXPECT_THAT(ids(chain("\t\tcounter # handle 3\n\t\tcounter # handle 4\n")),
              ElementsAre("delete host inet t c: counter"));
}

TEST(NftMutants, VerdictMapsAreFlippedEntryByEntryAndNamesAreNoVerdicts) {
  EXPECT_THAT(ids(chain("\t\tct state vmap { established : accept, invalid : drop } # handle 3\n")),
              ElementsAre(::testing::StartsWith("delete"),
                          "flip host inet t c: ct state vmap { established : accept, "
                          "invalid : drop }",
                          "flip host inet t c: ct state vmap { established : accept, invalid : drop } (2)"));
  EXPECT_THAT(ids(chain("\t\tlog prefix \"drop 10.0.0.0/8\" jump accept # handle 3\n")),
              ElementsAre(::testing::StartsWith("delete")));
}

TEST(NftMutants, AnonymousSetsCountButNotWhatPacketsGetNorMasks) {
  const auto all =
      ids(chain("\t\tip saddr { 10.0.0.0/8, 192.168.99.7 } snat ip to 192.168.16.10 # handle 3\n"));
  EXPECT_EQ(all.size(), 4U) << "delete, two of 10.0.0.0/8, one of 192.168.99.7";
  EXPECT_EQ(ids(chain("\t\tip daddr & 255.0.0.0 == 10.0.0.0 drop # handle 3\n")).size(), 2U)
      << "delete and flip";
}

TEST(NftMutants, ElementsOfNamedSets) {
  const std::string set =
      "table inet t { # handle 1\n\tset internal { # handle 2\n\t\ttype ipv4_addr\n\t\tflags interval\n"
      "\t\telements = { 10.0.0.0/8, 172.16.0.0/12,\n\t\t\t     192.168.16.53 timeout 1h expires 59m }\n\t}\n"
      "\tmap verdicts { # handle 3\n\t\ttype ipv4_addr : verdict\n\t\telements = { 10.1.2.3 : drop "
      "}\n\t}\n}\n";
  const auto sets = parse_sets(set);
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0].name, "inet t internal");
  EXPECT_THAT(sets[0].elements, ElementsAre("10.0.0.0/8", "172.16.0.0/12"));
  EXPECT_THAT(sets[1].elements, ElementsAre("10.1.2.3 : drop"));
  const auto all = mutants(set);
  ASSERT_EQ(all.size(), 8U) << "three each, and delete and flip of the map's, which holds no prefixes";
  EXPECT_EQ(all[1].id, "widen 10.0.0.0/8 host inet t internal: 10.0.0.0/8");
  EXPECT_THAT(
      all[1].commands,
      ElementsAre(
          "nft 'delete element inet t internal { 10.0.0.0/8 }; add element inet t internal { 10.0.0.0/7 "
          "}'"));
  EXPECT_EQ(all[7].becomes, "inet t verdicts: 10.1.2.3 : accept");
}

TEST(NftMutants, AnythingAtAllMayBeGiven) {
  EXPECT_THAT(ids(""), IsEmpty());
  EXPECT_THAT(ids("table\n\tset\n\tset x {\n\t\telements = {\n\t}\n"), IsEmpty());
}

struct Pair {
  const char* first;
  const char* second;
  bool matters;
};

TEST(NftOrder, MattersUnlessBothEndAlikeOrNoPacketMeetsBoth) {
  for (const Pair& pair : std::vector<Pair>{
           {"ip daddr 10.0.0.0/8 counter reject", "ip daddr 10.1.0.0/16 counter reject comment \"x\"", false},
           {"ip daddr 10.0.0.0/8 reject", "ip daddr 10.1.0.0/16 reject with icmp host-unreachable", true},
           {"ip daddr 10.0.0.0/8 drop", "ip daddr 172.16.0.0/12 accept", false},
           {"ip daddr 10.0.0.0/8 drop", "ip daddr 10.1.2.3 accept", true},
           {"ip daddr { 10.0.0.0/8, 1.2.3.4 } drop", "ip daddr { 5.6.7.8, 172.16.0.0/12 } accept", false},
           {"ip daddr { 10.0.0.0/8, 1.2.3.4 } drop", "ip daddr 1.2.3.0/24 accept", true},
           {"ip daddr 10.0.0.0/8 drop", "ip saddr 172.16.0.0/12 accept", true},
           {"ip daddr 10.0.0.0/8 drop", "ip6 daddr fd00::/8 accept", false},
           {"tcp dport 80 drop", "udp dport 80 accept", false},
           {"tcp dport 80 drop", "tcp dport 22-100 accept", true},
           {"ct state established,related accept", "ct state invalid drop", false},
           {"ct state established,related accept", "ct state related,new drop", true},
           {"iifname \"bridge0\" accept", "iifname \"ens4\" drop", false},
           {"iifname \"br*\" accept", "iifname \"bridge0\" drop", true},
           {"iifname != \"bridge0\" accept", "iifname \"ens4\" drop", true},
           {"limit rate 1/second accept", "ip daddr 10.0.0.0/8 accept", true},
           {"log prefix \"a\" ip daddr 1.2.3.4 drop", "ip daddr 10.0.0.0/8 accept", true},
           {"ip daddr 1.2.3.4 jump x", "ip daddr 5.6.7.8 drop", true},
           {"jump x", "jump x", false},
       }) {
    EXPECT_EQ(order_matters(pair.first, pair.second), pair.matters) << pair.first << " | " << pair.second;
    EXPECT_EQ(order_matters(pair.second, pair.first), pair.matters) << pair.second << " | " << pair.first;
  }
}

}  // namespace
}  // namespace plumbline::engine::mutation
