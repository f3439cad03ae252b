#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind wrong_source_address_cause();

namespace {

using testing::ip;

class WrongSourceAddress : public testing::Ways {
 protected:
  WrongSourceAddress() {
    in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4").source = ip("192.168.17.10");
    facts.routes["host 203.0.113.80"].source = ip("192.168.17.10");
    question = Case();
    question.promise = Case::Promise::route;
    question.host = question.from = "host";
    question.to = ip("203.0.113.80");
    question.route.emplace().source = ip("192.168.16.10");
  }
  std::optional<Finding> recognise() { return wrong_source_address_cause().recognise(question, facts); }
};

TEST_F(WrongSourceAddress, IsProvenOfARoutesSource) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip route replace default via 192.168.16.1 dev ens4 src 192.168.16.10"});
}

TEST_F(WrongSourceAddress, IsProvenOfWhatTheHostSent) {
  question.route.reset();
  question.promise = Case::Promise::egress;
  question.as = ip("192.168.16.10");
  question.outcome.identity.source = ip("192.168.17.10");
  EXPECT_TRUE(recognise());
}

TEST_F(WrongSourceAddress, IsNotClaimedWhereNoRouteNamesIt) {
  facts.network.find("host")->routes.back().source.reset();
  EXPECT_FALSE(recognise());
}

TEST_F(WrongSourceAddress, IsNotClaimedOfTheRightOne) {
  question.route->source = ip("192.168.17.10");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
