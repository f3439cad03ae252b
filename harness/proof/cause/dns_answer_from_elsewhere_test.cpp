#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof {

CauseKind dns_answer_from_elsewhere_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsAnswerFromElsewhere : public ::testing::Test {
 protected:
  DnsAnswerFromElsewhere() {
    question.promise = Case::Promise::resolve;
    question.from = "container-one";
    question.host = "host";
    question.to = ip("192.168.16.53");
    question.to_node = "lan-resolver";
    question.port = 53;
    question.name = "www.example.test";
    facts.add("container-one", network::Role::container);
    facts.add("host", network::Role::host).resolvers = {ip("192.168.16.53")};
    network::Node& server = facts.add("lan-resolver", network::Role::world);
    network::Service& dns = server.services.emplace_back();
    dns.kind = network::Service::Kind::dns;
    dns.port = 53;
    outcome(DnsStatus::timeout, Status::timeout);
  }
  void outcome(DnsStatus dns, Status status) {
    question.dns.emplace().status = dns;
    question.outcome.status = status;
  }
  void asked() {
    testing::see(question, Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11",
                 "192.168.16.53");
    testing::see(question, Leg::forward, "lan-resolver", "eth0", Direction::in, "192.168.16.10",
                 "192.168.16.53");
  }
  void answered(const std::string& node = "lan-resolver") {
    testing::see(question, Leg::reply, node, "eth0", Direction::out, "192.168.16.53", "192.168.16.10");
  }
  std::optional<Finding> recognise() { return dns_answer_from_elsewhere_cause().recognise(question, facts); }

  Case question;
  FakeFacts facts;
};

TEST_F(DnsAnswerFromElsewhere, IsProvenOfAnAnswerOfAnotherNode) {
  testing::see(question, Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11",
               "192.168.16.53");
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "198.51.100.53");
  answered("public-resolver");
  outcome(DnsStatus::answered, Status::replied);
  Chain& chain = facts.chains_of["host"].emplace_back();
  chain.family = "ip";
  chain.table = "nat";
  chain.name = "PREROUTING";
  chain.rules.push_back({7, "udp dport 53 dnat to 198.51.100.53", {}, std::nullopt});
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "The question to lan-resolver (192.168.16.53) was answered by public-resolver, because host turns it "
      "to 198.51.100.53.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"iptables -t nat -D PREROUTING 1  # on host"});
}

TEST_F(DnsAnswerFromElsewhere, IsNotClaimedOfTheServersOwn) {
  asked();
  answered();
  outcome(DnsStatus::answered, Status::replied);
  EXPECT_FALSE(recognise());
}

TEST_F(DnsAnswerFromElsewhere, IsNotClaimedOfSilence) {
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "198.51.100.53");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
