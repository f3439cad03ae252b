#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind dns_stub_resolver_cause();

namespace {

using testing::ip;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsStubResolver : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return dns_stub_resolver_cause().recognise(question, facts); }
};

TEST_F(DnsStubResolver, IsProvenWhereTheContainerItselfRefuses) {
  question.to = ip("127.0.0.53");
  question.to_node.clear();
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{
                              "printf 'nameserver 192.168.16.53\\n' > /etc/resolv.conf  # on container-one"});
}

TEST_F(DnsStubResolver, IsNotClaimedOfTheHost) {
  question.to = ip("127.0.0.53");
  question.from = "host";
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  EXPECT_FALSE(recognise());
}

TEST_F(DnsStubResolver, IsNotClaimedWhereOneAnswersThereOrElsewhereIsAsked) {
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  EXPECT_FALSE(recognise());
  question.to = ip("127.0.0.53");
  outcome(DnsStatus::server_failure, Status::replied);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
