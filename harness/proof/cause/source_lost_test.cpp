#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind source_lost_cause();

namespace {

using testing::ip;
using testing::says;
using traffic::Direction;

/// The internet asks port 8080 of the host, which leads to container-one; that is to see who asks.
class SourceLost : public testing::FirewallCase {
 protected:
  SourceLost() {
    question.from = "internet";
    question.to = ip("192.168.16.10");
    question.to_node = "host";
    question.port = 8080;
    question.published_at = question.delivered_to = "container-one";
    question.as = question.outcome.identity.source = ip("203.0.113.80");
    question.outcome.status = traffic::ProbeOutcome::Status::replied;
  }
  void arrives(const std::string& source) {
    testing::see(question, Leg::forward, "host", "ens4", Direction::in, question.as->to_string(),
                 "192.168.16.10");
    testing::see(question, Leg::forward, "container-one", "eth0", Direction::in, source, "192.168.99.11");
  }
  Passage& at_postrouting() {
    Passage& passage = testing::pass(question, "host", Hook::postrouting, Leg::forward,
                                     question.as->to_string(), "192.168.99.11");
    passage.oif = "bridge0";
    return passage;
  }
  void tracked() {
    Translation& known = question.kernel.translations.emplace_back();
    known.node = "host";
    known.original = {*question.as, ip("192.168.16.10"), 4000, 8080};
    known.reply = {ip("192.168.99.11"), ip("192.168.99.1"), 80, 4000};
    known.source_translated = known.destination_translated = true;
    facts.routes["host 192.168.99.11"].dev = "bridge0";
  }
  std::optional<Finding> recognise() { return source_lost_cause().recognise(question, facts); }
};

TEST_F(SourceLost, NamesTheRuleThatThePacketMet) {
  Chain& rules = chain("inet", "nat", "postrouting", Hook::postrouting, "accept", {"masquerade"});
  arrives("192.168.99.1");
  meet(at_postrouting(), rules, 0, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "host translates the source of what goes to container-one: it sees 192.168.99.1 instead of "
            "203.0.113.80.");
  EXPECT_TRUE(says(finding->evidence, "rule of host's inet nat postrouting (handle 5): masquerade"));
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"nft insert rule inet nat postrouting handle 5 oifname bridge0 ip saddr "
                                     "203.0.113.80 ip daddr 192.168.99.11 meta l4proto tcp accept"});
}

TEST_F(SourceLost, ExemptsOneServiceOfARuleThatIsMeantForTheNetwork) {
  Chain& rules = chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept",
                       {"oifname \"bridge0\" counter masquerade"});
  arrives("192.168.99.1");
  meet(at_postrouting(), rules, 0, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"iptables-nft -t nat -I POSTROUTING 1 -o bridge0 -s 203.0.113.80 "
                                     "-d 192.168.99.11 -p tcp -j ACCEPT"});
}

TEST_F(SourceLost, IsKnownByConntrackWhereNothingIsTraced) {
  chain("inet", "nat", "postrouting", Hook::postrouting, "accept",
        {"oifname \"ens4\" masquerade", "tcp dport 80 masquerade"});
  arrives("192.168.99.1");
  EXPECT_FALSE(recognise()) << "nothing says who changed it";
  tracked();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence, "(handle 6): tcp dport 80 masquerade"));
}

TEST_F(SourceLost, MendsNothingWhereTheTranslationIsNeeded) {
  question.from = "container-two";
  question.as = question.outcome.identity.source = ip("192.168.99.12");
  Chain& rules = chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept", {"counter masquerade"});
  arrives("192.168.99.1");
  meet(at_postrouting(), rules, 0, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence, "host has both of one network"));
  EXPECT_TRUE(finding->fix.empty());
}

TEST_F(SourceLost, IsNotClaimedOfAProxyNorWithoutThePromise) {
  // docker-proxy connects by itself: a packet of its own, which meets no rule with the sender's address.
  Chain& rules = chain("inet", "nat", "postrouting", Hook::postrouting, "accept", {"masquerade"});
  arrives("192.168.99.1");
  Passage& own =
      testing::pass(question, "host", Hook::postrouting, Leg::forward, "192.168.99.1", "192.168.99.11");
  meet(own, rules, 0, "accept");
  EXPECT_FALSE(recognise());
  meet(at_postrouting(), rules, 0, "accept");
  question.as = ip("192.168.16.10");
  EXPECT_FALSE(recognise());
  question.as.reset();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
