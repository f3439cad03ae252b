#include "checks/isolated.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using proof::Leg;
using ::testing::HasSubstr;
using testing_support::add;
using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

const Isolation kPromise{"container-one", "box", 0, false};

engine::Evidence to_box(const char* address, Status status) {
  engine::Evidence evidence;
  evidence.from = "container-one";
  evidence.to = {address, *IpAddress::parse(address), "box"};
  evidence.with = {traffic::Protocol::udp, 7};
  evidence.outcome.status = status;
  return evidence;
}

IsolationProbe refused_locally(int error, const char* address = "10.0.0.5") {
  engine::Evidence evidence = to_box(address, Status::local_error);
  evidence.outcome.error_number = error;
  evidence.outcome.attempted = "connect";
  return {address, evidence, std::nullopt, {}};
}

/// Left its node, and was never heard of again; the box reaches itself.
IsolationProbe lost_on_the_way(const char* address = "10.0.0.5") {
  engine::Evidence evidence = to_box(address, Status::timeout);
  add(evidence, Leg::forward, "container-one", "eth0", Direction::out, "192.168.99.11", address);
  engine::Evidence control = to_box(address, Status::replied);
  control.from = "box";
  add(control, Leg::forward, "box", "lo", Direction::in, address, address);
  add(control, Leg::reply, "box", "lo", Direction::in, address, address);
  return {address, evidence, control, {}};
}

TEST(IsolatedJudgement, PassesWhereNothingGetsThereAndCountsWhatBecameOfIt) {
  IsolationProbe own = lost_on_the_way("127.0.0.1");
  own.evidence.outcome.status = Status::refused;
  const auto judged = judge_isolated(
      kPromise,
      {refused_locally(ENETUNREACH), refused_locally(ENETUNREACH, "10.0.0.6"), lost_on_the_way(), own});
  EXPECT_EQ(judged.judgement.verdict, Verdict::pass) << judged.judgement.observed;
  EXPECT_EQ(judged.judgement.observed,
            "4 probes: 2 network unreachable, 1 no answer, 1 connection refused by its own loopback");
}

TEST(IsolatedJudgement, FailsWhatWasSeenThereAndNamesAddressServiceAndPlace) {
  IsolationProbe leaked = lost_on_the_way();
  add(leaked.evidence, Leg::forward, "box", "eth0", Direction::in);
  const auto judged = judge_isolated(kPromise, {refused_locally(ENETUNREACH), leaked});
  EXPECT_EQ(judged.judgement.verdict, Verdict::fail);
  EXPECT_THAT(judged.judgement.observed, HasSubstr("udp/7 to 10.0.0.5 was seen at box:eth0; 2 probes"));
  EXPECT_EQ(judged.decisive, 1U);
}

TEST(IsolatedJudgement, FailsWhatAListenerGotThoughNoTapSawIt) {
  IsolationProbe leaked = lost_on_the_way();
  leaked.evidence.delivered_to = "box";
  EXPECT_EQ(judge_isolated(kPromise, {leaked}).judgement.verdict, Verdict::fail);
  leaked.evidence.delivered_to = "container-one";  // its own listener
  EXPECT_EQ(judge_isolated(kPromise, {leaked}).judgement.verdict, Verdict::pass);
}

TEST(IsolatedJudgement, TheControlMustReachItself) {
  IsolationProbe probe = lost_on_the_way();
  probe.control->outcome.status = Status::refused;
  EXPECT_EQ(judge_isolated(kPromise, {probe}).judgement.verdict, Verdict::inconclusive);
  probe.control.reset();
  EXPECT_EQ(judge_isolated(kPromise, {probe}).judgement.verdict, Verdict::inconclusive);
}

TEST(IsolatedJudgement, BlindTapsProveNothing) {
  IsolationProbe probe = lost_on_the_way();
  probe.evidence.journey.complete = false;
  EXPECT_EQ(judge_isolated(kPromise, {probe}).judgement.verdict, Verdict::inconclusive);
  probe = lost_on_the_way();
  probe.evidence.journey.sightings.clear();
  EXPECT_EQ(judge_isolated(kPromise, {probe}).judgement.verdict, Verdict::inconclusive);
}

TEST(IsolatedJudgement, AProbeThatFoundNobodyToGoToWasNeverSent) {
  IsolationProbe probe = lost_on_the_way();
  probe.evidence.journey.sightings.clear();
  probe.unresolved = "10.0.0.5";
  const auto judged = judge_isolated(kPromise, {probe});
  EXPECT_EQ(judged.judgement.verdict, Verdict::pass);
  EXPECT_EQ(judged.judgement.observed, "1 probe: 1 never sent for want of a neighbour");
  probe.evidence.journey.complete = false;
  EXPECT_EQ(judge_isolated(kPromise, {probe}).judgement.verdict, Verdict::inconclusive);
}

TEST(IsolatedJudgement, AnErrorThatTheSenderTellsItselfSaysThatItWasNeverSent) {
  IsolationProbe probe = lost_on_the_way();
  proof::Sighting told = probe.evidence.journey.sightings.front();
  told.leg = proof::Leg::error;
  told.node = kPromise.from;
  told.interface = "lo";
  traffic::IcmpHeader unreachable;
  unreachable.type = 1;
  unreachable.code = 3;
  unreachable.v6 = true;
  told.packet.transport = unreachable;
  probe.evidence.journey.sightings = {told};
  const auto judged = judge_isolated(kPromise, {probe});
  EXPECT_EQ(judged.judgement.verdict, Verdict::pass) << judged.judgement.observed;
  EXPECT_EQ(judged.judgement.observed, "1 probe: 1 never sent for want of a neighbour");
  probe.evidence.journey.sightings.front().interface = "eth0";  // another node's error
  EXPECT_EQ(judge_isolated(kPromise, {probe}).judgement.verdict, Verdict::inconclusive);
}

TEST(IsolatedJudgement, OnlyARefusalThatIsTheNetworksProvesItself) {
  for (const int error : {ENETUNREACH, EHOSTUNREACH, EACCES, EPERM, ENETDOWN, EINVAL, EADDRNOTAVAIL}) {
    EXPECT_EQ(judge_isolated(kPromise, {refused_locally(error)}).judgement.verdict, Verdict::pass) << error;
  }
  for (const int error : {EMFILE, ENOBUFS, EADDRINUSE}) {
    EXPECT_EQ(judge_isolated(kPromise, {refused_locally(error)}).judgement.verdict, Verdict::inconclusive)
        << error;
  }
  EXPECT_EQ(judge_isolated(kPromise, {refused_locally(EINVAL, "fe80::1")}).judgement.verdict,
            Verdict::inconclusive);
  Isolation tentative = kPromise;
  tentative.sender_is_tentative = true;
  const auto judged = judge_isolated(tentative, {refused_locally(EADDRNOTAVAIL, "fe80::1")});
  EXPECT_EQ(judged.judgement.verdict, Verdict::inconclusive);
  EXPECT_THAT(judged.judgement.observed, HasSubstr("duplicate address detection"));
}

TEST(IsolatedJudgement, APromisedErrorIsThatOfEveryProbeButThoseToLoopback) {
  Isolation promise = kPromise;
  promise.error = ENETUNREACH;
  IsolationProbe own = lost_on_the_way("127.0.0.1");
  own.evidence.outcome.status = Status::replied;
  EXPECT_EQ(judge_isolated(promise, {refused_locally(ENETUNREACH), own}).judgement.verdict, Verdict::pass);
  EXPECT_EQ(judge_isolated(promise, {refused_locally(EHOSTUNREACH)}).judgement.verdict, Verdict::fail);
  const auto silent = judge_isolated(promise, {lost_on_the_way()});
  EXPECT_EQ(silent.judgement.verdict, Verdict::fail);
  EXPECT_THAT(silent.judgement.observed,
              HasSubstr("udp/7 to 10.0.0.5: timeout instead of network unreachable"));
}

}  // namespace
}  // namespace plumbline::checks
