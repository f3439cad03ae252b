#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof {

CauseKind dns_tcp_only_cause();

namespace {

using testing::FakeFacts;
using testing::ip;
using traffic::Direction;
using DnsStatus = traffic::DnsOutcome::Status;
using Status = traffic::ProbeOutcome::Status;

class DnsTcpOnly : public ::testing::Test {
 protected:
  DnsTcpOnly() {
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
  std::optional<Finding> recognise() { return dns_tcp_only_cause().recognise(question, facts); }

  Case question;
  FakeFacts facts;
};

TEST_F(DnsTcpOnly, IsProvenWhereTheServerSaysThatNothingListens) {
  asked();
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  question.outcome.icmp = traffic::IcmpError{3, 3, false, ip("192.168.16.53")};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
}

TEST_F(DnsTcpOnly, IsOnlyLikelyWhereARuleOfTheServersMayHaveSaidIt) {
  asked();
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  question.outcome.icmp = traffic::IcmpError{3, 3, false, ip("192.168.16.53")};
  facts.chains_of["lan-resolver"].emplace_back().rules.emplace_back().text = "udp dport 53 reject";
  EXPECT_EQ(recognise()->certainty, Certainty::likely);
}

TEST_F(DnsTcpOnly, IsNotClaimedOfARefusalOnTheWay) {
  asked();
  outcome(DnsStatus::icmp_error, Status::icmp_error);
  question.outcome.icmp = traffic::IcmpError{3, 3, false, ip("192.168.99.1")};
  EXPECT_FALSE(recognise());
}

TEST_F(DnsTcpOnly, IsNotClaimedOverTcp) {
  question.dns_over_tcp = true;
  asked();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
