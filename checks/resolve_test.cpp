#include "checks/resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using proof::Leg;
using testing_support::sighting;
using traffic::Direction;

const IpAddress kWww = *IpAddress::parse("203.0.113.80");
const std::optional<std::vector<IpAddress>> kExpected{{kWww}};

engine::DnsEvidence answered() {
  engine::DnsEvidence e;
  e.from = "container-one";
  e.server = {"192.168.16.53", *IpAddress::parse("192.168.16.53"), "lan-resolver"};
  e.name = "www.example.test";
  e.outcome.status = traffic::DnsOutcome::Status::answered;
  e.outcome.addresses = {kWww};
  e.journey.sightings = {
      sighting(Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", "192.168.16.53"),
      sighting(Leg::forward, "lan-resolver", "eth0", Direction::in, "192.168.16.10", "192.168.16.53"),
      sighting(Leg::reply, "lan-resolver", "eth0", Direction::out, "192.168.16.53", "192.168.16.10"),
      sighting(Leg::reply, "container-one", "eth0", Direction::in, "192.168.16.53", "192.168.99.11")};
  return e;
}

TEST(ResolveJudgement, PassesTheRightAnswerFromTheRightServer) {
  EXPECT_EQ(judge_resolve(kExpected, answered()).verdict, Verdict::pass);
  EXPECT_EQ(judge_resolve(std::nullopt, answered()).verdict, Verdict::pass);
}

TEST(ResolveJudgement, FailsAWrongMissingOrSuperfluousAddress) {
  engine::DnsEvidence evidence = answered();
  evidence.outcome.addresses = {*IpAddress::parse("203.0.113.81")};
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::fail);
  evidence.outcome.addresses.push_back(kWww);
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::fail);
  evidence.outcome.addresses.clear();
  EXPECT_EQ(judge_resolve(std::nullopt, evidence).verdict, Verdict::fail);
}

TEST(ResolveJudgement, FailsEveryOutcomeThatIsNoAnswer) {
  using Status = traffic::DnsOutcome::Status;
  for (const Status status :
       {Status::name_error, Status::server_failure, Status::refused, Status::other_rcode, Status::icmp_error,
        Status::refused_connection, Status::local_error, Status::timeout, Status::malformed}) {
    engine::DnsEvidence evidence = answered();
    evidence.outcome.status = status;
    EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::fail);
  }
}

TEST(ResolveJudgement, FailsWhenAnotherServerGotTheQuestion) {
  engine::DnsEvidence evidence = answered();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "lan-resolver"; });
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::fail);
}

TEST(ResolveJudgement, FailsWhenTheServerWasAskedButAnotherAnswered) {
  engine::DnsEvidence evidence = answered();
  evidence.journey.sightings[2].node = "lan-peer";
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::fail);
}

TEST(ResolveJudgement, OfAnAddressThatNoNodeHoldsIsNotProvenByANodesAnswer) {
  engine::DnsEvidence evidence = answered();
  evidence.server.node.clear();
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::fail);
  evidence.journey.sightings.erase(evidence.journey.sightings.begin() +
                                   2);  // first seen coming in: from outside
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::pass);
}

TEST(ResolveJudgement, IsInconclusiveWhenFramesWereLost) {
  engine::DnsEvidence evidence = answered();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "lan-resolver"; });
  evidence.journey.complete = false;
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace plumbline::checks
