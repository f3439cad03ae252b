#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_dns.hpp"

namespace plumbline::proof {

CauseKind listen_queue_full_cause();

namespace {

class ListenQueueFull : public testing::DnsCase {
 protected:
  std::optional<Finding> recognise() { return listen_queue_full_cause().recognise(question, facts); }
};

TEST_F(ListenQueueFull, IsProvenByTheKernelsCounter) {
  question.promise = Case::Promise::reach;
  question.protocol = traffic::Protocol::tcp;
  asked();
  EXPECT_FALSE(recognise());
  question.kernel.counters.push_back({"host", "TcpExtListenOverflows", 1});
  EXPECT_FALSE(recognise()) << "of another node";
  question.kernel.counters.push_back({"lan-resolver", "TcpExtListenOverflows", 1});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix.front(), "ss -lnt 'sport = :53'  # on lan-resolver");
}

TEST_F(ListenQueueFull, IsNotClaimedWhereAHandshakeWasAnswered) {
  question.promise = Case::Promise::reach;
  asked();
  question.kernel.counters.push_back({"lan-resolver", "TcpExtListenOverflows", 1});
  answered();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
