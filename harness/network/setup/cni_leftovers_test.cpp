#include "harness/network/setup/cni_leftovers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::network {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Belongings of_one() {
  return {"plumbline-one", {*IpAddress::parse("10.88.0.2"), *IpAddress::parse("fd00::2")}, {"veth1"}};
}

TEST(CniLeftovers, AreNamedAsWordsOfTheirOwn) {
  const Belongings one = of_one();
  for (const char* yes :
       {"route 10.88.0.2/32 dev x", "dnat to 10.88.0.2:80", "to 10.88.0.2.", "-d fd00::2/128",
        "to [fd00::2]:80", "link veth1 of kind veth", "id: \"plumbline-one\"", "10.88.0.2"}) {
    EXPECT_TRUE(mentions(yes, one)) << yes;
  }
  for (const char* no : {"10.88.0.20", "110.88.0.2", "10.88.0.2.1", "fd00::2:1", "2:fd00::2", "link veth10",
                         "plumbline-one-two", "xplumbline-one", "10.88.0.0/16", ""}) {
    EXPECT_FALSE(mentions(no, one)) << no;
  }
}

TEST(CniLeftovers, ChainsNamedByAHashAreTheContainersOwn) {
  const std::vector<HostEntry> entries{
      {"chain of nft ip nat CNI-2289eab9aeb9175e503f2c16", "CNI-2289eab9aeb9175e503f2c16"},
      {"rule of nft ip nat POSTROUTING: ip saddr 10.88.0.2 jump CNI-2289eab9aeb9175e503f2c16", "POSTROUTING"},
      {"rule of nft ip nat CNI-DN-2289eab9aeb9175e503f2: tcp dport 80 dnat to 10.88.0.2:80",
       "CNI-DN-2289eab9aeb9175e503f2"},
      {"rule of nft ip nat CNI-HOSTPORT-DNAT: tcp dport 80 jump CNI-DN-2289eab9aeb9175e503f2",
       "CNI-HOSTPORT-DNAT"},
      {"rule of nft ip filter CNI-FORWARD: ip saddr 10.88.0.2 accept", "CNI-FORWARD"},
      {"rule of nft ip nat POSTROUTING: ip saddr 10.88.0.3 jump CNI-aaaaaaaaaaaaaaaaaaaaaaaa",
       "POSTROUTING"}};
  Belongings one = of_one();
  learn_chains(entries, one);
  EXPECT_THAT(one.names,
              ElementsAre("CNI-2289eab9aeb9175e503f2c16", "CNI-DN-2289eab9aeb9175e503f2", "veth1"));
  // What portmap forgot: nothing in it names the container.
  EXPECT_TRUE(mentions(entries[3].text, one));
  EXPECT_FALSE(mentions("chain of nft ip filter CNI-FORWARD", one));
  EXPECT_FALSE(mentions(entries[5].text, one));
}

std::vector<std::string> texts_left(const HostStates& states) {
  std::vector<std::string> texts;
  for (const HostEntry& entry : left_behind(states)) texts.push_back(entry.text);
  return texts;
}

std::vector<HostEntry> entries_of(const std::vector<std::string>& texts) {
  std::vector<HostEntry> entries;
  for (const std::string& text : texts) entries.emplace_back().text = text;
  return entries;
}

TEST(CniLeftovers, AreWhatPluginsMadeAndNotWhatStepsMade) {
  HostStates states;
  states.before_add = entries_of({"old", "gone", "twice"});
  states.after_add = entries_of({"old", "gone", "twice", "by ADD", "by ADD and taken away"});
  states.before_del = entries_of({"old", "twice", "by ADD", "by ADD and taken away", "by a step"});
  states.after_del = entries_of({"old", "twice", "twice", "by ADD", "by a step", "by DEL"});
  EXPECT_THAT(texts_left(states), ElementsAre("twice", "by ADD", "by DEL"));
  states.after_del = entries_of({"old", "by a step"});
  EXPECT_THAT(texts_left(states), IsEmpty());
}

TEST(CniLeftovers, AndWhatPluginsTookAwayIsTold) {
  HostStates states;
  states.before_add = entries_of({"route a", "route b", "route c", "file /run/x: y"});
  states.after_add = entries_of({"route a", "route b"});
  states.before_del = entries_of({"route a"});  // a step took b
  std::vector<std::string> texts;
  for (const HostEntry& entry : taken_away(states)) texts.push_back(entry.text);
  EXPECT_THAT(texts, ElementsAre("route a", "route c"));
}

}  // namespace
}  // namespace plumbline::network
