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

/// What `resolve: ARGUMENTS` makes, of a node with two resolvers of its own.
std::vector<std::string> made(const std::string& arguments) {
  network::Topology topology;
  network::Node& node = topology.nodes.emplace_back();
  node.name = "one";
  node.resolvers = {*IpAddress::parse("10.91.0.1"), *IpAddress::parse("192.168.16.53")};
  spec::CheckItem item;
  item.kind = "resolve";
  item.arguments = spec::parse_yaml(arguments, "t.yaml");
  std::vector<std::string> ids;
  for (const auto& check : resolve_kind().parse(item, topology)) ids.push_back(check->promise.id);
  return ids;
}

TEST(ResolveSpec, AsksEachOfTheNodesOwnResolversOrTheFirst) {
  using ::testing::ElementsAre;
  EXPECT_THAT(made("{from: one, name: two, with: udp}"),
              ElementsAre("resolve one two at 10.91.0.1 udp", "resolve one two at 192.168.16.53 udp"));
  EXPECT_THAT(made("{from: one, name: two, resolvers: first, with: udp}"),
              ElementsAre("resolve one two at 10.91.0.1 udp"));
  EXPECT_EQ(made("{from: one, name: two, resolvers: each}").size(), 4U);
  EXPECT_THROW(made("{from: one, name: two, resolvers: first, server: 10.0.0.1}"), spec::SpecError);
  EXPECT_THROW(made("{from: one, name: two, resolvers: last}"), spec::SpecError);
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

TEST(ResolveJudgement, AForwarderOnTheAskersLoopbackHasAnsweredWhereItsAnswerWasSeenThere) {
  engine::DnsEvidence evidence = answered();
  evidence.server = {"127.0.0.11", *IpAddress::parse("127.0.0.11"), "container-one"};
  auto& seen = evidence.journey.sightings;
  seen.insert(seen.begin(),
              sighting(Leg::forward, "container-one", "lo", Direction::in, "127.0.0.1", "127.0.0.11"));
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::fail) << "nobody answered on lo";
  seen.push_back(sighting(Leg::reply, "container-one", "lo", Direction::in, "127.0.0.11", "127.0.0.1"));
  EXPECT_EQ(judge_resolve(kExpected, evidence).verdict, Verdict::pass);
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
