#include "checks/egress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using proof::Leg;
using testing::HasSubstr;
using testing_support::at_the_guard;
using testing_support::there_and_back;
using traffic::Direction;

const Exit kExit{
    "host", "ens4", *IpAddress::parse("192.168.16.10"), *IpAddress::parse("192.168.99.11"), std::nullopt,
    "",     {}};

proof::Sighting& find(engine::Evidence& evidence, Leg leg, std::string_view node, Direction direction) {
  for (auto& sighting : evidence.journey.sightings) {
    if (sighting.is(leg, node, direction)) return sighting;
  }
  throw std::logic_error("no such sighting");
}

TEST(EgressJudgement, PassesTheWholeWayThereAndBack) {
  EXPECT_EQ(judge_egress(kExit, there_and_back(), nullptr).verdict, Verdict::pass);
}

TEST(EgressJudgement, FailsTheWrongUplink) {
  engine::Evidence evidence = there_and_back();
  find(evidence, Leg::forward, "host", Direction::out).interface = "ens5";
  const auto judged = judge_egress(kExit, evidence, nullptr);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("by ens5 instead of ens4"));
}

TEST(EgressJudgement, PassesWhereTheUplinkSendsOnWhatItsBridgeSends) {
  engine::Evidence evidence = there_and_back();
  auto& seen = evidence.journey.sightings;
  const auto insert = [&](Leg leg, Direction direction, std::size_t after) {
    proof::Sighting of_bridge = find(evidence, leg, "host", direction);
    of_bridge.interface = "bridge0";
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (!seen[i].is(leg, "host", direction)) continue;
      seen.insert(seen.begin() + static_cast<std::ptrdiff_t>(i + after), of_bridge);
      return;
    }
  };
  insert(Leg::forward, Direction::out, 0);
  insert(Leg::reply, Direction::in, 1);
  Exit exit = kExit;
  EXPECT_EQ(judge_egress(exit, evidence, nullptr).verdict, Verdict::fail);
  exit.bridge = "bridge0";
  const auto judged = judge_egress(exit, evidence, nullptr);
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
}

TEST(EgressJudgement, PassesWhatGoesByACableWithinTheHost) {
  engine::Evidence evidence = there_and_back();
  auto& seen = evidence.journey.sightings;
  const auto patch = [&](Leg leg, Direction direction, const char* source, const char* destination) {
    return testing_support::sighting(leg, "host", "patch1", direction, source, destination);
  };
  const auto out = patch(Leg::forward, Direction::out, "192.168.99.11", "203.0.113.80");
  const auto in = patch(Leg::reply, Direction::in, "203.0.113.80", "192.168.99.11");
  seen.insert(seen.begin() + 1, out);
  seen.insert(seen.end() - 1, in);
  Exit exit = kExit;
  EXPECT_THAT(judge_egress(exit, evidence, nullptr).observed, HasSubstr("by patch1 instead of ens4"));
  exit.inner = {"patch0", "patch1"};
  exit.hops = 0;
  const auto judged = judge_egress(exit, evidence, nullptr);
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
  // It must leave by the uplink all the same.
  std::erase_if(seen, [](const auto& each) { return each.node == "host" && each.interface == "ens4"; });
  EXPECT_EQ(judge_egress(exit, evidence, nullptr).verdict, Verdict::fail);
}

TEST(EgressJudgement, FailsWhereTheAnswerComesBackByAnotherUplink) {
  engine::Evidence evidence = there_and_back();
  find(evidence, Leg::reply, "host", Direction::in).interface = "ens5";
  const auto judged = judge_egress(kExit, evidence, nullptr);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("the answer came back to host by ens5 instead of ens4"));
}

TEST(EgressJudgement, FailsAnUntranslatedSourceEvenWhereItIsAnswered) {
  engine::Evidence evidence = there_and_back();
  find(evidence, Leg::forward, "host", Direction::out).packet.ip->source = kExit.own;
  const auto judged = judge_egress(kExit, evidence, nullptr);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("as 192.168.99.11 instead of 192.168.16.10"));
}

TEST(EgressJudgement, FailsWhenTheReceiverSawAnotherSource) {
  engine::Evidence evidence = there_and_back();
  find(evidence, Leg::forward, "internet", Direction::in).packet.ip->source = *IpAddress::parse("198.18.0.9");
  EXPECT_EQ(judge_egress(kExit, evidence, nullptr).verdict, Verdict::fail);
  evidence = there_and_back();
  evidence.outcome.seen_as = *IpAddress::parse("198.18.0.9");
  EXPECT_EQ(judge_egress(kExit, evidence, nullptr).verdict, Verdict::fail);
}

TEST(EgressJudgement, FailsWhenNothingCameBack) {
  engine::Evidence evidence = there_and_back();
  evidence.outcome.status = traffic::ProbeOutcome::Status::timeout;
  const engine::Evidence through = there_and_back();
  EXPECT_EQ(judge_egress(kExit, evidence, &through).verdict, Verdict::fail);
}

TEST(EgressJudgement, IsInconclusiveWhenTheTargetIsDeadForTheHostToo) {
  engine::Evidence evidence = there_and_back();
  evidence.outcome.status = traffic::ProbeOutcome::Status::timeout;
  engine::Evidence dead = evidence;
  dead.from = "host";
  EXPECT_EQ(judge_egress(kExit, evidence, &dead).verdict, Verdict::inconclusive);
}

TEST(EgressJudgement, FailsWhenTheProbeNeverLeftTheHostWhateverTheControlSays) {
  engine::Evidence dead = there_and_back();
  dead.outcome.status = traffic::ProbeOutcome::Status::timeout;
  EXPECT_EQ(judge_egress(kExit, at_the_guard(), &dead).verdict, Verdict::fail);
}

TEST(EgressJudgement, IsInconclusiveWhenFramesWereLost) {
  engine::Evidence evidence = there_and_back();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "internet"; });
  EXPECT_EQ(judge_egress(kExit, evidence, nullptr).verdict, Verdict::fail);
  evidence.journey.complete = false;
  EXPECT_EQ(judge_egress(kExit, evidence, nullptr).verdict, Verdict::inconclusive);
}

engine::Evidence with_ttls(std::uint8_t at_source, std::uint8_t at_uplink) {
  engine::Evidence evidence = there_and_back();
  find(evidence, Leg::forward, "container-one", Direction::out).packet.ip->ttl = at_source;
  find(evidence, Leg::forward, "host", Direction::out).packet.ip->ttl = at_uplink;
  return evidence;
}

TEST(EgressJudgement, HopsAreCountedByTheTtl) {
  Exit exit = kExit;
  exit.hops = 1;
  const auto good = judge_egress(exit, with_ttls(64, 63), nullptr);
  EXPECT_EQ(good.verdict, Verdict::pass);
  EXPECT_THAT(good.observed, HasSubstr("as 192.168.16.10 after 1 hop and arrived so"));
  for (const std::uint8_t ttl : std::initializer_list<std::uint8_t>{64, 62, 128}) {
    const auto judged = judge_egress(exit, with_ttls(64, ttl), nullptr);
    EXPECT_EQ(judged.verdict, Verdict::fail) << int{ttl};
    EXPECT_THAT(judged.observed, HasSubstr("instead of 1 between container-one and host:ens4"));
  }
  EXPECT_EQ(judge_egress(kExit, with_ttls(64, 62), nullptr).verdict, Verdict::pass) << "not promised";
}

TEST(EgressJudgement, HopsWithoutASightingAtTheSourceAreInconclusive) {
  Exit exit = kExit;
  exit.hops = 1;
  engine::Evidence evidence = with_ttls(64, 63);
  std::erase_if(evidence.journey.sightings, [](const proof::Sighting& sighting) {
    return sighting.is(Leg::forward, "container-one", Direction::out);
  });
  EXPECT_EQ(judge_egress(exit, evidence, nullptr).verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace plumbline::checks
