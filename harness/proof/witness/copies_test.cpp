#include "harness/proof/witness/copies.hpp"

#include <gtest/gtest.h>

namespace plumbline::proof {
namespace {

using Copies = Passage::Copies;

class Frames {
 public:
  Frames& at(Hook hook, const std::string& iif, const std::string& oif, bool dropped = false) {
    Passage& passage = passages_.emplace_back();
    passage.node = "host";
    passage.bridge = true;
    passage.hook = hook;
    passage.iif = iif;
    passage.oif = oif;
    passage.identity = PacketIdentity{};
    if (dropped) passage.rules.emplace_back().verdict = passage.verdict = "drop";
    return *this;
  }
  /// IP takes it.
  Frames& in_ip() {
    at(Hook::prerouting, "bridge0", "");
    passages_.back().bridge = false;
    return *this;
  }
  Frames& other_packet() {
    passages_.back().identity->ip_id = 7;
    return *this;
  }
  std::vector<Passage> told() {
    note_copies(passages_);
    return passages_;
  }
  Copies first() { return told().front().copies; }

 private:
  std::vector<Passage> passages_;
};

TEST(Copies, OfAFrameToOnePortThereAreNone) {
  EXPECT_EQ(Frames().at(Hook::forward, "a", "b", true).first(), Copies::none);
  EXPECT_EQ(Frames().at(Hook::forward, "a", "b", true).at(Hook::forward, "a", "b").first(), Copies::none);
  EXPECT_EQ(Frames().at(Hook::forward, "a", "b", true).at(Hook::forward, "a", "c").other_packet().first(),
            Copies::none);
  // By another bridge of the node.
  EXPECT_EQ(Frames().at(Hook::forward, "a", "b", true).at(Hook::forward, "x", "y").first(), Copies::none);
}

TEST(Copies, GoOnOrShareItsEnd) {
  EXPECT_EQ(Frames().at(Hook::forward, "a", "b", true).at(Hook::forward, "a", "c").first(), Copies::went_on);
  EXPECT_EQ(Frames().at(Hook::forward, "a", "b", true).at(Hook::forward, "a", "c", true).first(),
            Copies::same_end);
  EXPECT_EQ(Frames()
                .at(Hook::forward, "a", "b", true)
                .at(Hook::forward, "a", "c")
                .at(Hook::postrouting, "", "c", true)
                .first(),
            Copies::same_end);
  EXPECT_EQ(Frames().at(Hook::output, "", "b", true).at(Hook::output, "", "c").first(), Copies::went_on);
}

TEST(Copies, OnTheWayOutBelongToWhereTheyWereSent) {
  Frames frames;
  frames.at(Hook::forward, "a", "b").at(Hook::postrouting, "", "b", true);
  EXPECT_EQ(frames.told()[1].copies, Copies::none);
  frames.at(Hook::forward, "a", "c").at(Hook::postrouting, "", "c");
  EXPECT_EQ(frames.told()[1].copies, Copies::went_on);
}

TEST(Copies, ThatTheBridgeTakesItselfCountWhereIpWantsThem) {
  Frames frames;
  frames.at(Hook::forward, "a", "b", true).at(Hook::input, "a", "");
  EXPECT_EQ(frames.first(), Copies::none);
  EXPECT_EQ(frames.in_ip().first(), Copies::went_on);
}

TEST(Copies, OfWhatWasNotStoppedOrNotSentYetAreNotAsked) {
  EXPECT_EQ(Frames().at(Hook::forward, "a", "b").at(Hook::forward, "a", "c").first(), Copies::none);
  EXPECT_EQ(Frames().at(Hook::prerouting, "a", "", true).at(Hook::forward, "a", "c").first(), Copies::none);
}

TEST(Copies, AreTheEndWhereNoneCanFareOtherwise) {
  kernel::nft::Listing rules;
  const auto set = [&](const std::string& family, const std::string& text) {
    rules.rules[{family, "t", "c", 1}].text = text;
  };
  const auto dropped = [](Hook hook) { return Frames().at(hook, "a", "b", true).told().front(); };
  set("bridge", "ip daddr 10.0.0.2 drop");
  EXPECT_TRUE(is_the_end(dropped(Hook::forward), rules));
  for (const char* text : {"oifname \"b\" drop", "ip daddr 10.0.0.2 limit rate 1/second accept", ""}) {
    set("bridge", text);
    EXPECT_FALSE(is_the_end(dropped(Hook::forward), rules)) << text;
    EXPECT_FALSE(is_the_end(dropped(Hook::postrouting), rules)) << text;
    EXPECT_TRUE(is_the_end(dropped(Hook::prerouting), rules)) << text;
    EXPECT_TRUE(is_the_end(dropped(Hook::input), rules)) << text;
  }
  Passage at_ip = dropped(Hook::forward);
  at_ip.bridge = false;
  EXPECT_TRUE(is_the_end(at_ip, rules));
  rules.rules.clear();
  set("inet", "oifname \"b\" drop");
  EXPECT_TRUE(is_the_end(dropped(Hook::forward), rules));
  const auto flooded = Frames().at(Hook::forward, "a", "b", true).at(Hook::forward, "a", "c").told();
  EXPECT_FALSE(is_the_end(flooded.front(), rules));
}

}  // namespace
}  // namespace plumbline::proof
