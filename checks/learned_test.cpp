#include "checks/learned.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using kernel::netlink::NeighbourEntry;
using kernel::netlink::NeighbourState;
using proof::Leg;
using ::testing::HasSubstr;
using testing_support::add;
using traffic::Direction;

const MacAddress kOne = *MacAddress::parse("02:00:00:00:00:11");
const MacAddress kTwo = *MacAddress::parse("02:00:00:00:00:12");

LearnedTables as_it_should_be() {
  const IpAddress one = *IpAddress::parse("192.168.99.11");
  const IpAddress two = *IpAddress::parse("192.168.99.12");
  LearnedTables tables;
  tables.bridge = "bridge0";
  tables.from = {"container-one",
                 one,
                 kOne,
                 "veth1",
                 "veth1",
                 NeighbourEntry{2, two, kTwo, NeighbourState::reachable},
                 "",
                 false};
  tables.to = {"container-two",
               two,
               kTwo,
               "veth2",
               "veth2",
               NeighbourEntry{2, one, kOne, NeighbourState::delay},
               "",
               false};
  return tables;
}

engine::Evidence ping(traffic::ProbeOutcome::Status status = traffic::ProbeOutcome::Status::replied) {
  engine::Evidence evidence = testing_support::evidence();
  evidence.with = {};
  evidence.outcome.status = status;
  add(evidence, Leg::forward, "container-one", "eth0", Direction::out);
  return evidence;
}

void expect(Verdict verdict, const LearnedTables& tables, const engine::Evidence& evidence,
            const char* said) {
  const auto judged = judge_learned(tables, evidence);
  EXPECT_EQ(judged.verdict, verdict) << judged.observed;
  EXPECT_THAT(judged.observed, HasSubstr(said));
}

TEST(LearnedJudgement, PassesWhereTablesAndJourneyAgree) {
  expect(Verdict::pass, as_it_should_be(), ping(),
         "bridge0 has 02:00:00:00:00:11 of container-one on veth1 and 02:00:00:00:00:12 of container-two on "
         "veth2; "
         "container-one has 02:00:00:00:00:12 for 192.168.99.12 (reachable); container-two has "
         "02:00:00:00:00:11 "
         "for 192.168.99.11 (delay)");
}

TEST(LearnedJudgement, FailsWhereAnEntryWasSetByHand) {
  LearnedTables tables = as_it_should_be();
  tables.to.told = true;
  expect(Verdict::fail, tables, ping(),
         "bridge0 has container-two's 02:00:00:00:00:12 on veth2 by a static entry: it was set by hand, not "
         "learned");
  for (const NeighbourState state : {NeighbourState::permanent, NeighbourState::noarp}) {
    tables = as_it_should_be();
    tables.from.neighbour->state = state;
    expect(Verdict::fail, tables, ping(), "it was set by hand, not learned");
  }
}

TEST(LearnedJudgement, TheBridgesOwnAddressIsOnNoPort) {
  LearnedTables tables = as_it_should_be();
  tables.from.is_bridge = true;
  tables.from.node = "host";
  tables.from.port = "veth2";  // on its way out
  tables.from.learned_on = "bridge0";
  expect(Verdict::pass, tables, ping(), "of host on bridge0");
}

TEST(LearnedJudgement, FailsAContradictionWhetherAnsweredOrNot) {
  for (const auto status : {traffic::ProbeOutcome::Status::replied, traffic::ProbeOutcome::Status::timeout}) {
    LearnedTables tables = as_it_should_be();
    tables.from.learned_on = "veth2";
    expect(Verdict::fail, tables, ping(status),
           "bridge0 has container-one's 02:00:00:00:00:11 on veth2, but its packet came in by veth1");
    tables = as_it_should_be();
    tables.from.neighbour->mac = kOne;
    expect(Verdict::fail, tables, ping(status),
           "container-one has 02:00:00:00:00:11 for 192.168.99.12 (reachable), but container-two is "
           "02:00:00:00:00:12");
    tables = as_it_should_be();
    tables.to.neighbour->mac = kTwo;
    expect(Verdict::fail, tables, ping(status), "container-two has 02:00:00:00:00:12 for 192.168.99.11");
  }
}

TEST(LearnedJudgement, TheCableTellsWhereNoPacketDoes) {
  LearnedTables tables = as_it_should_be();
  tables.from.learned_on = "veth2";
  tables.from.port.clear();
  tables.from.cable = "veth1";
  expect(Verdict::fail, tables, ping(traffic::ProbeOutcome::Status::timeout),
         "bridge0 has container-one's 02:00:00:00:00:11 on veth2, but it is plugged into veth1");
}

TEST(LearnedJudgement, FailsIgnoranceAfterAnAnswer) {
  LearnedTables tables = as_it_should_be();
  tables.to.learned_on.reset();
  expect(Verdict::fail, tables, ping(), "bridge0 has not learned container-two's");
  tables = as_it_should_be();
  tables.to.neighbour.reset();
  expect(Verdict::fail, tables, ping(), "container-two has no neighbour entry for 192.168.99.11");
  tables = as_it_should_be();
  tables.from.neighbour->mac.reset();
  expect(Verdict::fail, tables, ping(), "container-one has nothing for 192.168.99.12");
  tables = as_it_should_be();
  tables.from.port.clear();
  expect(Verdict::fail, tables, ping(), "came in by no port of bridge0");
}

TEST(LearnedJudgement, WithoutAnAnswerOrSightIgnoranceProvesNothing) {
  LearnedTables tables = as_it_should_be();
  tables.to.learned_on.reset();
  tables.to.port.clear();
  expect(Verdict::inconclusive, tables, ping(traffic::ProbeOutcome::Status::timeout), "not answered");
  engine::Evidence blind = ping();
  blind.journey.sightings.clear();
  tables.from.port.clear();
  expect(Verdict::inconclusive, tables, blind, "did not even see it leave");
}

}  // namespace
}  // namespace plumbline::checks
