#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind nat_leak_cause();

namespace {

using testing::says;

class NatLeak : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return nat_leak_cause().recognise(question, facts); }
};

class Leaking : public NatLeak {
 protected:
  Leaking() {
    question.promise = Case::Promise::egress;
    question.via = "ens4";
    question.as = testing::ip("192.168.16.10");
    comes_to_host();
    goes_out("192.168.99.11");
  }
};

TEST_F(Leaking, IsAPacketThatARuleWasToTranslate) {
  const Chain raw =
      chain("ip", "raw", "prerouting", Hook::prerouting, "accept", {"ip saddr 192.168.99.11 notrack"});
  chain("ip", "nat", "postrouting", Hook::postrouting, "accept", {"oifname \"ens4\" masquerade"});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"nft delete rule ip raw prerouting handle 5"});
}

TEST_F(Leaking, IsNotClaimedWhereNoRuleIsThere) {
  EXPECT_FALSE(recognise());
}

TEST_F(Leaking, IsNotClaimedWhereTheSourceWasToStayAsItIs) {
  question.as = testing::ip("192.168.99.11");
  chain("ip", "nat", "postrouting", Hook::postrouting, "accept", {"oifname \"ens4\" masquerade"});
  EXPECT_FALSE(recognise());
}

TEST_F(NatLeak, IsAContainersAddressOnAnUplinkThatWasToBeSilent) {
  question = Case();
  question.promise = Case::Promise::silent;
  question.host = "host";
  question.via = "ens4";
  question.from = "container-one";
  testing::see(question, Leg::forward, "host", "ens4", traffic::Direction::out, "192.168.99.11",
               "203.0.113.80");
  EXPECT_TRUE(recognise());
  question.journey.sightings.clear();
  question.from.clear();
  testing::see(question, Leg::forward, "host", "ens4", traffic::Direction::out, "192.168.16.77",
               "203.0.113.80");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
