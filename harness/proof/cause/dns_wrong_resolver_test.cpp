#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_wrong_resolver_cause();

namespace {

class DnsWrongResolver : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_wrong_resolver_cause().recognise(question, facts); }
};

TEST_F(DnsWrongResolver, IsProvenByWhatResolvConfNames) {
  question.resolver = testing::ip("192.168.16.53");
  question.to = testing::ip("192.168.16.66");
  question.to_node = "lan-peer";
  facts.network.find("container-one")->resolvers = {question.to};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "container-one's resolv.conf names 192.168.16.66 and not 192.168.16.53.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "printf 'nameserver 192.168.16.53\\n' >/etc/resolv.conf  # on container-one"});
}

TEST_F(DnsWrongResolver, IsProvenByAnEmptyOne) {
  question.resolver = testing::ip("192.168.16.53");
  EXPECT_EQ(recognise()->summary,
            "container-one's resolv.conf names no server, so that it asks itself and not 192.168.16.53.");
}

TEST_F(DnsWrongResolver, IsNotClaimedOfTheRightOneOrWhereTheSpecNamesTheServer) {
  EXPECT_FALSE(recognise());
  question.resolver = testing::ip("192.168.16.53");
  facts.network.find("container-one")->resolvers = {testing::ip("192.168.16.66"), *question.resolver};
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
