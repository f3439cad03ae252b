#include "checks/reach.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using testing::HasSubstr;
using testing_support::at_the_guard;
using testing_support::there_and_back;

TEST(ReachJudgement, PassesWhenTheProbeArrivedAndWasAnswered) {
  const auto judged = judge_reach(there_and_back());
  EXPECT_EQ(judged.verdict, Verdict::pass);
  EXPECT_THAT(judged.observed, HasSubstr("internet:eth0"));
}

TEST(ReachJudgement, FailsWithoutAnAnswerAndSaysHowFarItGot) {
  const auto judged = judge_reach(at_the_guard());
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("last seen at host:veth1"));
}

TEST(ReachJudgement, FailsWhenSomebodyElseAnswered) {
  engine::Evidence evidence = there_and_back();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "internet"; });
  const auto judged = judge_reach(evidence);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("never arrived"));
}

TEST(ReachJudgement, IsInconclusiveWhenTheCaptureLostWhatWouldProveTheArrival) {
  engine::Evidence evidence = there_and_back();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "internet"; });
  evidence.journey.complete = false;
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::inconclusive);
}

TEST(ReachJudgement, IsInconclusiveWhenTheTapsSawNothingAtAll) {
  engine::Evidence evidence = there_and_back();
  evidence.journey.sightings.clear();
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::inconclusive);
}

TEST(ReachJudgement, FailsALocalErrorInItsOwnWords) {
  engine::Evidence evidence = testing_support::evidence();
  evidence.outcome.status = traffic::ProbeOutcome::Status::local_error;
  evidence.outcome.error_number = ENETUNREACH;
  const auto judged = judge_reach(evidence);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("unreachable"));
}

TEST(ReachJudgement, TakesTheNonceAsProofWhereNoTapCanBe) {
  engine::Evidence evidence = there_and_back();
  evidence.to.node.clear();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "internet"; });
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::pass);
}

TEST(ReachJudgement, FailsWhenTheAnswerComesInFromAnotherThanTheTargetBeyond) {
  engine::Evidence evidence = there_and_back();
  evidence.to.node.clear();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "internet"; });
  for (auto& sighting : evidence.journey.sightings) {
    if (sighting.node == "host" && sighting.leg == proof::Leg::reply)
      sighting.packet.ip->source = *IpAddress::parse("198.51.100.7");
  }
  const auto judged = judge_reach(evidence);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("it was 198.51.100.7 that answered, as host:ens4 saw it, not"));
}

TEST(ReachJudgement, FailsWhenAnotherPortOfTheTargetBeyondAnswers) {
  engine::Evidence evidence = there_and_back();
  evidence.to.node.clear();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "internet"; });
  traffic::TcpHeader& tcp =
      evidence.journey.sightings[3].packet.transport.emplace<traffic::TcpHeader>(traffic::TcpHeader{});
  tcp.source_port = 80;
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::pass);
  tcp.source_port = 8080;
  const auto judged = judge_reach(evidence);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("it was port 8080 of 203.0.113.80 that answered"));
}

TEST(ReachJudgement, TakesTheAddressBehindANat64ForTheOneThatHoldsIt) {
  engine::Evidence evidence = there_and_back();
  evidence.to = {"64:ff9b::203.0.113.80", *IpAddress::parse("64:ff9b::203.0.113.80"), ""};
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.node == "internet"; });
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::pass);
}

TEST(ReachJudgement, FailsWhenANodeThatDoesNotHoldTheAddressAnswers) {
  engine::Evidence evidence = there_and_back();
  evidence.to.node.clear();
  const auto judged = judge_reach(evidence);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("it was internet that answered"));
}

TEST(ReachJudgement, FailsWhenTheTargetGotACopyButAnotherAnswered) {
  engine::Evidence evidence = there_and_back();
  for (auto& sighting : evidence.journey.sightings) {
    if (sighting.is(proof::Leg::reply, "internet", traffic::Direction::out)) sighting.node = "container-two";
  }
  const auto judged = judge_reach(evidence);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("it was container-two that answered, not internet"));
}

TEST(ReachJudgement, FailsAConnectionThatStaysSilent) {
  engine::Evidence evidence = there_and_back();
  evidence.outcome.status = traffic::ProbeOutcome::Status::no_answer;
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::fail);
}

TEST(ReachJudgement, OfALiveHostsServiceAConnectionIsEnough) {
  engine::Evidence evidence = there_and_back();
  evidence.by_service = true;
  const auto judged = judge_reach(evidence);
  EXPECT_EQ(judged.verdict, Verdict::pass);
  EXPECT_THAT(judged.observed, HasSubstr("connected; arrived at internet:eth0"));
}

TEST(ReachJudgement, SilenceOverUdpShowsNothingWhereAServiceNeedNotEcho) {
  engine::Evidence evidence = there_and_back();
  std::erase_if(evidence.journey.sightings, [](const auto& s) { return s.leg == proof::Leg::reply; });
  evidence.with = {traffic::Protocol::udp, 99};
  evidence.outcome.status = traffic::ProbeOutcome::Status::timeout;
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::fail) << "a server of ours would have answered";
  evidence.by_service = true;
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::inconclusive);
  evidence.to.node.clear();
  evidence.went_beyond = true;
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::inconclusive);
  evidence.went_beyond = false;
  EXPECT_EQ(judge_reach(evidence).verdict, Verdict::fail) << "it got lost where everybody watches";
}

}  // namespace
}  // namespace plumbline::checks
