#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind icmp_rate_limited_cause();

namespace {

using testing::says;

class IcmpRateLimited : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return icmp_rate_limited_cause().recognise(question, facts); }
};

class Unheard : public IcmpRateLimited {
 protected:
  Unheard() {
    question.promise = Case::Promise::deny;
    question.guard = "host";
    question.how = "reject";
    comes_to_host();
    facts.sysctls[{"host", "net/ipv4/icmp_ratemask"}] = "6168";
    held =
        forward("drop", {"ip daddr 203.0.113.0/24 reject", "ip daddr 203.0.113.0/24 reject with tcp reset"});
  }
  Chain held;
};

TEST_F(Unheard, IsLikelyAndProvenByTheCounter) {
  meet(at_forward(), held, 0, "reject");
  auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::likely);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"sysctl -w net.ipv4.icmp_ratemask=6160"});
  question.kernel.counters.push_back({"host", "IcmpOutRateLimitHost", 1});
  EXPECT_EQ(recognise()->certainty, Certainty::proven);
}

TEST_F(Unheard, IsNotClaimedWhereNothingIsLimited) {
  facts.sysctls[{"host", "net/ipv4/icmp_ratemask"}] = "0";
  meet(at_forward(), held, 0, "reject");
  EXPECT_FALSE(recognise());
}

TEST_F(Unheard, IsNotClaimedOfResetsOrOfDrops) {
  meet(at_forward(), held, 1, "reject");
  EXPECT_FALSE(recognise());
  question.kernel.passages.clear();
  meet(at_forward(), held, 2, "drop");
  EXPECT_FALSE(recognise());
}

TEST_F(Unheard, IsNotClaimedWhereTheErrorWasSent) {
  meet(at_forward(), held, 0, "reject");
  testing::see(question, Leg::error, "host", "veth1", traffic::Direction::out, "192.168.99.1",
               "192.168.99.11");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
