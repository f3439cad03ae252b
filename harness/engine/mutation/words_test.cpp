#include "harness/engine/mutation/words.hpp"

#include <gtest/gtest.h>

namespace plumbline::engine::mutation {
namespace {

std::vector<std::string> texts(std::string_view line) {
  std::vector<std::string> texts;
  for (const Word& word : words_of(line)) texts.emplace_back(word.text);
  return texts;
}

TEST(MutationWords, BracesAndCommasStandAlone) {
  EXPECT_EQ(texts("ip daddr { 10.0.0.0/8, 172.16.0.0/12 } ct state established,related accept"),
            (std::vector<std::string>{"ip", "daddr", "{", "10.0.0.0/8", ",", "172.16.0.0/12", "}", "ct",
                                      "state", "established,related", "accept"}));
}

TEST(MutationWords, WhatIsQuotedIsOneWord) {
  const auto words = words_of(R"(log prefix "a { drop \" } " accept)");
  ASSERT_EQ(words.size(), 4U);
  EXPECT_EQ(words[2].text, R"("a { drop \" } ")");
  EXPECT_TRUE(words[2].quoted);
  EXPECT_FALSE(words[3].quoted);
  EXPECT_EQ(words_of("\"no end").size(), 1U);
}

TEST(MutationWords, ShellsGetOneWord) {
  EXPECT_EQ(shell_quoted("it's $HOME"), "'it'\\''s $HOME'");
}

std::vector<std::string> others(const char* prefix) {
  std::vector<std::string> texts;
  for (const OtherPrefix& other : other_prefixes(*Prefix::parse(prefix)))
    texts.push_back(other.operation + " -> " + other.prefix.to_string());
  return texts;
}

TEST(MutationWords, PrefixesAreWidenedAndNarrowedWithTheirHostBitsCleared) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(others("172.16.0.0/12"),
            (Texts{"widen 172.16.0.0/12 -> 172.0.0.0/11", "narrow 172.16.0.0/12 -> 172.16.0.0/13"}));
  EXPECT_EQ(others("192.168.99.11"), (Texts{"widen 192.168.99.11 -> 192.168.99.10/31"}));
  EXPECT_EQ(others("0.0.0.0/0"), (Texts{"narrow 0.0.0.0/0 -> 0.0.0.0/1"}));
  EXPECT_EQ(others("fd00:99::/64"),
            (Texts{"widen fd00:99::/64 -> fd00:99::/63", "narrow fd00:99::/64 -> fd00:99::/65"}));
}

}  // namespace
}  // namespace plumbline::engine::mutation
