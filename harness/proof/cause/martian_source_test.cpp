#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind martian_source_cause();

namespace {

using testing::ip;
using traffic::Direction;

class MartianSource : public testing::Ways {
 protected:
  MartianSource() {
    question.from = "host";
    question.to = ip("192.168.99.11");
    question.to_node = "container-one";
    question.outcome.identity.source = ip("192.168.99.1");
    arrive("192.168.99.11");
    no_route("container-one", "192.168.99.11", EINVAL);
  }
  void arrive(std::string_view source) {
    question.journey.sightings.clear();
    see(Leg::forward, "host", "bridge0", Direction::out, source, "192.168.99.11");
    see(Leg::forward, "container-one", "eth0", Direction::in, source, "192.168.99.11");
  }
  std::optional<Finding> recognise() { return martian_source_cause().recognise(question, facts); }
};

TEST_F(MartianSource, IsProvenOfTheReceiversOwnAddress) {
  Passage& passage =
      testing::pass(question, "host", Hook::postrouting, Leg::forward, "192.168.99.1", "192.168.99.11");
  RuleMet& rule = passage.rules.emplace_back();
  rule.family = "ip";
  rule.table = "odd";
  rule.chain = "post";
  rule.number = 3;
  rule.text = "snat to 192.168.99.11";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "container-one takes no packet from 192.168.99.11 on eth0: it is container-one's own address; "
            "host put it in "
            "as the source.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"nft delete rule ip odd post handle 3"});
}

TEST_F(MartianSource, IsProvenOfALoopbackAddress) {
  arrive("127.0.0.1");
  EXPECT_TRUE(recognise());
  facts.sysctls[{"container-one", "net/ipv4/conf/eth0/route_localnet"}] = "1";
  EXPECT_FALSE(recognise());
}

/// Turned at the hook output from a port of 127.0.0.1, and nobody translated the source.
class SentAsLoopback : public MartianSource {
 protected:
  SentAsLoopback() {
    question.to = ip("127.0.0.1");
    question.to_node = "host";
    question.journey.sightings.clear();
    testing::pass(question, "host", Hook::postrouting, Leg::forward, "127.0.0.1", "192.168.99.11").oif =
        "bridge0";
    NeighbourFact& known = facts.neighbours_of["host"].emplace_back();
    known.dev = "bridge0";
    known.address = ip("192.168.99.11");
  }
};

TEST_F(SentAsLoopback, IsProvenWhereTheNeighbourTakesNoQuestionOfIt) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host sends to 192.168.99.11 by bridge0 as 127.0.0.1, from which nobody outside takes a packet.");
  ASSERT_FALSE(finding->fix.empty());
  EXPECT_NE(finding->fix.back().find("oifname bridge0 masquerade"), std::string::npos);
}

TEST_F(SentAsLoopback, IsNotClaimedWhereARuleTranslatesItOrTheNeighbourIsKnown) {
  question.kernel.passages.front().rules.emplace_back().text = "masquerade";
  EXPECT_FALSE(recognise());
  question.kernel.passages.front().rules.clear();
  facts.neighbours_of.clear();
  EXPECT_FALSE(recognise());
}

TEST_F(SentAsLoopback, IsNotClaimedWhereTheNeighbourTakesItOnAllOrOnThatInterface) {
  for (const char* where : {"all", "eth0"}) {
    std::string& setting =
        facts.sysctls[{"container-one", std::string("net/ipv4/conf/") + where + "/route_localnet"}];
    setting = "1";
    EXPECT_FALSE(recognise()) << where;
    setting = "0";
  }
  EXPECT_TRUE(recognise());
}

TEST_F(MartianSource, IsProvenByTheDropReason) {
  no_route("container-one", "192.168.99.11", ENETUNREACH);
  EXPECT_FALSE(recognise());
  Drop& drop = question.kernel.drops.emplace_back();
  drop.node = "container-one";
  drop.reason = "IP_LOCAL_SOURCE";
  EXPECT_TRUE(recognise());
}

TEST_F(MartianSource, IsNotClaimedWhereOwnAddressesAreAccepted) {
  facts.sysctls[{"container-one", "net/ipv4/conf/all/accept_local"}] = "1";
  EXPECT_FALSE(recognise());
}

TEST_F(MartianSource, IsNotClaimedOfAnOrdinarySource) {
  arrive("192.168.99.1");
  EXPECT_FALSE(recognise());
}

TEST_F(MartianSource, IsNotClaimedOfTheSenderItself) {
  question.from = "container-one";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
