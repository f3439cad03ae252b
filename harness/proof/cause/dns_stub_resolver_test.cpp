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

TEST_F(DnsStubResolver, IsNotClaimedWhereAnEnginesOwnResolverAsksOn) {
  question.to = ip("127.0.0.11");
  question.to_node.clear();
  question.journey.sightings.clear();
  outcome(DnsStatus::timeout, Status::timeout);
  testing::see(question, Leg::forward, "container-one", "lo", traffic::Direction::in, "127.0.0.1",
               "127.0.0.11");
  EXPECT_TRUE(recognise());
  testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11",
               "192.168.16.53");
  EXPECT_FALSE(recognise());
}

TEST_F(DnsStubResolver, OfDockersOwnServerTheDaemonIsNamedAndTheResolverLeft) {
  question.to = ip("127.0.0.11");
  question.to_node = "container-one";
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  Chain& chain = facts.chains_of["container-one"].emplace_back();
  chain.family = "ip";
  chain.table = "nat";
  chain.name = "DOCKER_OUTPUT";
  chain.rules.push_back({4, "ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:33333", {}, {}});
  chain.rules.push_back({5, "ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:44444", {}, {}});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "container-one asks 127.0.0.11, Docker's own DNS server, which dockerd serves in the container: it is "
      "gone, as it is when dockerd has ended.");
  EXPECT_EQ(finding->evidence.front(),
            "rule of container-one's ip nat DOCKER_OUTPUT: ip daddr 127.0.0.11 udp dport 53 dnat to "
            "127.0.0.11:44444");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"systemctl start docker && docker restart container-one  # on host"});
  facts.docker = "nobody listens at /run/docker.sock any more";
  EXPECT_EQ(recognise()->evidence.back(),
            "dockerd does not answer: nobody listens at /run/docker.sock any more");
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
