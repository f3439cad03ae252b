#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind missing_masquerade_cause();

namespace {

using testing::says;

class MissingMasquerade : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return missing_masquerade_cause().recognise(question, facts); }
};

class Untranslated : public MissingMasquerade {
 protected:
  Untranslated() {
    comes_to_host();
    goes_out("192.168.99.11");
  }
};

TEST_F(Untranslated, IsProvenWhereAnotherSourceWasPromised) {
  question.promise = Case::Promise::egress;
  question.via = "ens4";
  question.as = testing::ip("192.168.16.10");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_TRUE(says(finding->fix,
                   "nft insert rule ip nat postrouting ip saddr 192.168.99.0/24 oifname ens4 masquerade"));
}

TEST_F(Untranslated, IsLikelyWhereNobodyKnowsTheWayBack) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  facts.routes["internet 192.168.99.11"].dev = "eth0";
  EXPECT_FALSE(recognise());
}

TEST_F(Untranslated, NamesTheRuleThatExempts) {
  chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept",
        {"ip daddr 203.0.113.0/24 counter packets 1 bytes 2 accept", "oifname \"ens4\" masquerade"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence,
                   "exempted by rule of host's ip nat POSTROUTING (handle 5): ip daddr "
                   "203.0.113.0/24 counter accept"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "iptables-nft -t nat -I POSTROUTING -s 192.168.99.0/24 -o ens4 -j MASQUERADE"});
}

TEST_F(Untranslated, IsNotClaimedWhereARuleCoversItOrMay) {
  chain("inet", "nat", "postrouting", Hook::postrouting, "accept", {"ip saddr @containers masquerade"});
  EXPECT_FALSE(recognise());
}

/// A chain of marks, of which nobody can say what they are, as CNI's portmap and Kubernetes make it.
class Marked : public Untranslated {
 protected:
  Marked() {
    question.promise = Case::Promise::egress;
    question.via = "ens4";
    question.as = testing::ip("192.168.16.10");
    base = &chain("ip", "nat", "POSTROUTING", Hook::postrouting, "accept",
                  {"counter packets 4 bytes 240 jump MASQ", "ip daddr 203.0.113.0/24 accept"});
    Chain& marks = chain("ip", "nat", "MASQ", Hook::postrouting, "",
                         {"meta mark & 0x00002000 == 0x00002000 counter masquerade"});
    marks.hook.reset();
    marks.type.clear();
    base = &facts.chains_of["host"].front();
  }
  Passage& at_postrouting() {
    Passage& passage =
        testing::pass(question, "host", Hook::postrouting, Leg::forward, "192.168.99.11", "203.0.113.80");
    passage.oif = "ens4";
    meet(passage, *base, 0, "jump MASQ");
    return passage;
  }
  const Chain* base = nullptr;
};

TEST_F(Marked, IsProvenByWhatTheKernelToldThatItMet) {
  EXPECT_FALSE(recognise()) << "without a trace nobody knows the mark";
  Passage& passage = at_postrouting();
  EXPECT_FALSE(recognise()) << "the trace does not say how it ended";
  meet(passage, *base, 2, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_TRUE(says(finding->evidence, "no rule of host's nat chains at postrouting matches it"));
  question.kernel.nodes.front().problem = "reports were lost";
  EXPECT_FALSE(recognise());
}

TEST_F(Marked, IsExemptedByTheRuleThatTheKernelTold) {
  meet(at_postrouting(), *base, 1, "accept");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence, "exempted by rule of host's ip nat POSTROUTING (handle 6)"));
}

TEST_F(Untranslated, IsNotClaimedWhereItLeftByAnotherUplinkThanPromisedOrWasToStayAsItIs) {
  question.promise = Case::Promise::egress;
  question.via = "ens5";
  question.as = testing::ip("192.168.17.10");
  EXPECT_FALSE(recognise());
  question.via = "ens4";
  question.as = testing::ip("192.168.99.11");
  EXPECT_FALSE(recognise());
}

TEST_F(MissingMasquerade, IsNotClaimedOfWhatWasTranslated) {
  comes_to_host();
  goes_out("192.168.16.10");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
