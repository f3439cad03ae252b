#include "checks/denial.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using proof::Leg;
using testing::HasSubstr;
using testing_support::add;
using testing_support::at_the_guard;
using testing_support::evidence;
using testing_support::there_and_back;
using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

const Denial kAny{How::any, "host", {}, {}, ""};
const Denial kReject{How::reject, "host", {}, {}, ""};
const Denial kDrop{How::drop, "host", {}, {}, ""};

engine::Evidence rejected() {
  engine::Evidence e = at_the_guard();
  e.outcome.status = Status::icmp_error;
  e.outcome.icmp = traffic::IcmpError{3, 3, false, *IpAddress::parse("192.168.99.1")};
  add(e, Leg::error, "container-one", "eth0", Direction::in, "192.168.99.1", "192.168.99.11");
  return e;
}

engine::Evidence control() {
  engine::Evidence e = there_and_back();
  e.from = "host";
  return e;
}

engine::Evidence control_of_lan_peer() {
  engine::Evidence e = there_and_back();
  e.from = "lan-peer";
  for (auto& sighting : e.journey.sightings) {
    if (sighting.node == "container-one") sighting.node = "lan-peer";
  }
  return e;
}

TEST(DenyJudgement, PassesARejectWithItsControl) {
  const engine::Evidence through = control();
  EXPECT_EQ(judge_deny(kReject, rejected(), &through).verdict, Verdict::pass);
  EXPECT_EQ(judge_deny(kAny, rejected(), &through).verdict, Verdict::pass);
}

TEST(DenyJudgement, PassesASilentDropAfterTheTimeOut) {
  const engine::Evidence through = control();
  EXPECT_EQ(judge_deny(kDrop, at_the_guard(), &through).verdict, Verdict::pass);
  EXPECT_EQ(judge_deny(kAny, at_the_guard(), &through).verdict, Verdict::pass);
}

TEST(DenyJudgement, FailsTheWrongKindOfNo) {
  const engine::Evidence through = control();
  EXPECT_EQ(judge_deny(kReject, at_the_guard(), &through).verdict, Verdict::fail);
  EXPECT_EQ(judge_deny(kDrop, rejected(), &through).verdict, Verdict::fail);
}

TEST(DenyJudgement, FailsALeakThatWasNeverAnswered) {
  const engine::Evidence through = control();
  engine::Evidence leaked = at_the_guard();
  add(leaked, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10");
  const auto judged = judge_deny(kAny, leaked, &through);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("seen leaving host:ens4"));
}

TEST(DenyJudgement, AControlThatTheGuardStopsTooIsToBeReplacedNotLetThrough) {
  engine::Evidence isolated = at_the_guard();
  isolated.from = "container-two";
  for (auto& sighting : isolated.journey.sightings) {
    if (sighting.node == "container-one") sighting.node = "container-two";
  }
  EXPECT_THAT(judge_deny(kAny, at_the_guard(), &isolated).observed, HasSubstr("the control failed too"))
      << "who stopped it is not known";
  proof::Drop& drop = isolated.kernel.drops.emplace_back();
  drop.node = "host";
  drop.leg = Leg::forward;
  drop.reason = "NETFILTER_DROP";
  const auto judged = judge_deny(kAny, at_the_guard(), &isolated);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive);
  EXPECT_THAT(judged.observed, HasSubstr("host stops the control container-two too"));
  EXPECT_THAT(judged.observed, HasSubstr("name a node that may reach internet with `control:`"));
}

TEST(DenyJudgement, WhatGoesByACableWithinTheGuardHasNotLeftIt) {
  const engine::Evidence through = control();
  engine::Evidence dropped = at_the_guard();
  dropped.to = {"10.1.2.3", *IpAddress::parse("10.1.2.3"), ""};
  add(dropped, Leg::forward, "host", "patch1", Direction::out);
  Denial denial = kDrop;
  denial.ports = {{"patch0", "host"}, {"patch1", "host"}};
  EXPECT_THAT(judge_deny(denial, dropped, &through).observed, HasSubstr("seen leaving host:patch1"));
  denial.inner = {"patch0", "patch1"};
  const auto judged = judge_deny(denial, dropped, &through);
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
  add(dropped, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10");
  EXPECT_THAT(judge_deny(denial, dropped, &through).observed, HasSubstr("seen leaving host:ens4"));
}

TEST(DenyJudgement, FailsALeakEvenWithoutControl) {
  EXPECT_EQ(judge_deny(kAny, there_and_back(), nullptr).verdict, Verdict::fail);
}

TEST(DenyJudgement, FailsWhenTheListenerGotIt) {
  engine::Evidence leaked = at_the_guard();
  leaked.delivered_to = "internet";
  const engine::Evidence through = control();
  EXPECT_EQ(judge_deny(kAny, leaked, &through).verdict, Verdict::fail);
}

TEST(DenyJudgement, IsInconclusiveWithoutControl) {
  const auto judged = judge_deny(kReject, rejected(), nullptr);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive);
  EXPECT_THAT(judged.observed, HasSubstr("control"));
}

TEST(DenyJudgement, IsInconclusiveWhenTheControlFailsToo) {
  engine::Evidence dead = control();
  dead.outcome.status = Status::refused;
  const auto judged = judge_deny(kReject, rejected(), &dead);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive);
  EXPECT_THAT(judged.observed, HasSubstr("target may be dead"));
}

TEST(DenyJudgement, IsInconclusiveWhenTheProbeNeverLeft) {
  const engine::Evidence through = control();
  EXPECT_EQ(judge_deny(kAny, evidence(), &through).verdict, Verdict::inconclusive);
  engine::Evidence no_route = evidence();
  no_route.outcome.status = Status::local_error;
  no_route.outcome.error_number = ENETUNREACH;
  EXPECT_EQ(judge_deny(kAny, no_route, &through).verdict, Verdict::inconclusive);
}

TEST(DenyJudgement, IsInconclusiveWhenTheProbeNeverCameToTheGuard) {
  const engine::Evidence through = control();
  engine::Evidence lost = evidence();
  add(lost, Leg::forward, "container-one", "eth0", Direction::out);
  EXPECT_EQ(judge_deny(kAny, lost, &through).verdict, Verdict::inconclusive);
}

/// As one whose sender asks nobody for a hardware address: the bridge passes it on to nobody.
TEST(DenyJudgement, AFrameThatNobodyTookInProvesNoGuard) {
  const engine::Evidence through = control();
  Denial denial = kDrop;
  denial.ports = {{"veth1", "container-one"}, {"veth2", "internet"}};
  EXPECT_EQ(judge_deny(denial, at_the_guard(), &through).verdict, Verdict::pass) << "veth1 is no bridge's";
  denial.bridge_ports = {"veth1", "veth2"};
  for (const Direction direction : {Direction::other_host, Direction::in}) {
    engine::Evidence frame = at_the_guard();
    frame.journey.sightings.back().packet.direction = direction;
    const auto judged = judge_deny(denial, frame, &through);
    EXPECT_EQ(judged.verdict, Verdict::inconclusive);
    EXPECT_THAT(judged.observed, HasSubstr("host saw its frame at host:veth1 alone"));
    add(frame, Leg::forward, "host", "bridge0", Direction::in);
    EXPECT_EQ(judge_deny(denial, frame, &through).verdict, Verdict::pass) << "the bridge took it in";
  }
}

/// The bridge's own flag, not an accident.
TEST(DenyJudgement, PassesWhatTheGuardsBridgeKeepsApart) {
  const engine::Evidence through = control();
  Denial denial = kDrop;
  denial.ports = {{"veth1", "container-one"}, {"veth2", "internet"}};
  engine::Evidence kept = at_the_guard();
  proof::Drop& drop = kept.kernel.drops.emplace_back();
  drop.node = "host";
  drop.leg = Leg::forward;
  drop.reason = "NOT_SPECIFIED";
  drop.function = "br_handle_frame_finish";
  EXPECT_THAT(judge_deny(denial, kept, &through).observed, HasSubstr("which guards nothing"));
  denial.isolated = {{"veth1", "bridge0"}};
  EXPECT_EQ(judge_deny(denial, kept, &through).verdict, Verdict::inconclusive)
      << "one alone talks to the other";
  denial.isolated = {{"veth1", "bridge0"}, {"veth2", "bridge1"}};
  EXPECT_EQ(judge_deny(denial, kept, &through).verdict, Verdict::inconclusive) << "of different bridges";
  denial.isolated = {{"veth1", "bridge0"}, {"veth2", "bridge0"}};
  EXPECT_EQ(judge_deny(denial, kept, &through).verdict, Verdict::inconclusive)
      << "it was for the bridge itself";
  for (auto& sighting : kept.journey.sightings) {
    if (sighting.node == "host") sighting.packet.direction = Direction::other_host;
  }
  const auto judged = judge_deny(denial, kept, &through);
  EXPECT_EQ(judged.verdict, Verdict::pass);
  EXPECT_THAT(judged.observed, HasSubstr("kept apart by host, whose ports veth1 and veth2 are isolated"));
  EXPECT_EQ(judge_deny(denial, kept, nullptr).verdict, Verdict::inconclusive);
  EXPECT_THAT(judge_deny(denial, evidence(), &through).observed, HasSubstr("asks for its neighbour in vain"));
}

/// The host's own port that leads on to a container: who answers the control is not the host.
TEST(DenyJudgement, AControlMayBeAnsweredByTheNodeToWhichTheGuardLeadsItsPort) {
  engine::Evidence denied = at_the_guard();
  denied.to = {"192.168.16.10", *IpAddress::parse("192.168.16.10"), "host"};
  engine::Evidence through = control_of_lan_peer();
  through.to = denied.to;
  through.outcome.status = Status::replied;
  std::erase_if(through.journey.sightings,
                [](const proof::Sighting& each) { return each.is(Leg::forward, "host", Direction::out); });
  EXPECT_NE(judge_deny(kDrop, denied, &through).verdict, Verdict::pass) << "who answered, is not known";
  add(through, Leg::forward, "host", "veth2", Direction::out, "192.168.16.66", "192.168.99.12");
  const auto judged = judge_deny(kDrop, denied, &through);
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
}

TEST(DenyJudgement, AControlThatIsTheTargetIsSaidToBe) {
  Denial denial = kDrop;
  denial.unusable = "host";
  EXPECT_THAT(judge_deny(denial, at_the_guard(), nullptr).observed,
              HasSubstr("the control host is the target itself"));
}

TEST(DenyJudgement, ADropOfTheGuardsIsNoWaitForANeighbour) {
  const engine::Evidence through = control();
  Denial denial = kDrop;
  denial.unresolved = "192.168.16.78";
  engine::Evidence dropped = at_the_guard();
  EXPECT_THAT(judge_deny(denial, dropped, &through).observed, HasSubstr("waits in vain"));
  proof::Drop& drop = dropped.kernel.drops.emplace_back();
  drop.node = "host";
  drop.leg = Leg::forward;
  drop.reason = "NETFILTER_DROP";
  drop.function = "nft_do_chain";
  EXPECT_EQ(judge_deny(denial, dropped, &through).verdict, Verdict::pass);
}

/// As a chain of the device below a macvlan does: the frame is gone before any tap of the guard sees it.
TEST(DenyJudgement, PassesWhatTheGuardsKernelSaysThatItsFirewallDropped) {
  const engine::Evidence through = control();
  engine::Evidence dropped = evidence();
  add(dropped, Leg::forward, "container-one", "eth0", Direction::out);
  dropped.outcome.status = Status::local_error;
  dropped.outcome.error_number = ENOBUFS;
  EXPECT_EQ(judge_deny(kDrop, dropped, &through).verdict, Verdict::inconclusive);
  proof::Drop& drop = dropped.kernel.drops.emplace_back();
  drop.node = "host";
  drop.leg = Leg::forward;
  drop.reason = "NETFILTER_DROP";
  drop.function = "nft_do_chain";
  const auto judged = judge_deny(kDrop, dropped, &through);
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
  EXPECT_THAT(judged.observed, HasSubstr("dropped by the kernel of host: NETFILTER_DROP in nft_do_chain"));
  EXPECT_EQ(judge_deny(kReject, dropped, &through).verdict, Verdict::fail);
  EXPECT_EQ(judge_deny(kDrop, dropped, nullptr).verdict, Verdict::inconclusive) << "no control";
  dropped.outcome.status = Status::timeout;
  EXPECT_EQ(judge_deny(kDrop, dropped, &through).verdict, Verdict::pass);
  dropped.kernel.drops.front().function = "nf_hook_slow";
  EXPECT_EQ(judge_deny(kDrop, dropped, &through).verdict, Verdict::inconclusive) << "it need not be a rule";
  dropped.kernel.drops.front().function = "nft_do_chain";
  dropped.kernel.drops.front().node = "container-one";
  EXPECT_EQ(judge_deny(kDrop, dropped, &through).verdict, Verdict::inconclusive) << "its own firewall did";
}

TEST(DenyJudgement, IsInconclusiveWhenTheCaptureLostFrames) {
  const engine::Evidence through = control();
  engine::Evidence partial = rejected();
  partial.journey.complete = false;
  EXPECT_EQ(judge_deny(kReject, partial, &through).verdict, Verdict::inconclusive);
}

TEST(DenyJudgement, TakesTheGuardsOwnRefusalOfItsOwnProbe) {
  engine::Evidence own = evidence();
  own.from = "host";
  own.outcome.status = Status::local_error;
  own.outcome.error_number = EPERM;
  const engine::Evidence through = control_of_lan_peer();
  EXPECT_EQ(judge_deny(kAny, own, &through).verdict, Verdict::pass);
  own.outcome.error_number = ENETUNREACH;
  EXPECT_EQ(judge_deny(kAny, own, &through).verdict, Verdict::inconclusive);
}

TEST(DenyJudgement, TakesAFailedSendForADropAndNotForARejection) {
  engine::Evidence own = evidence();
  own.from = "host";
  own.outcome.status = Status::local_error;
  own.outcome.error_number = EPERM;
  const engine::Evidence through = control_of_lan_peer();
  EXPECT_EQ(judge_deny(kDrop, own, &through).verdict, Verdict::pass);
  EXPECT_EQ(judge_deny(kReject, own, &through).verdict, Verdict::fail);
}

TEST(DenyJudgement, CountsAFrameForAnotherHostAsHavingComeToTheGuard) {
  const engine::Evidence through = control();
  engine::Evidence bridged = evidence();
  add(bridged, Leg::forward, "container-one", "eth0", Direction::out);
  add(bridged, Leg::forward, "host", "veth1", Direction::other_host);
  EXPECT_EQ(judge_deny(kAny, bridged, &through).verdict, Verdict::pass);
}

TEST(DenyJudgement, IsInconclusiveWhenTheRefusalSpeaksForATargetThatNeverSawTheProbe) {
  const engine::Evidence through = control();
  engine::Evidence redirected = rejected();
  redirected.outcome.icmp->from = redirected.to.address;
  EXPECT_EQ(judge_deny(kReject, redirected, &through).verdict, Verdict::inconclusive);
}

TEST(DenyJudgement, ASilentConnectionIsALeakAndNoControl) {
  engine::Evidence silent = control();
  silent.outcome.status = Status::no_answer;
  EXPECT_EQ(judge_deny(kAny, silent, &silent).verdict, Verdict::fail);
  EXPECT_EQ(judge_deny(kReject, rejected(), &silent).verdict, Verdict::inconclusive);
}

TEST(DenyJudgement, IsInconclusiveWhereADeadNextHopWouldLookTheSame) {
  const engine::Evidence through = control();
  engine::Evidence unreachable = rejected();
  unreachable.outcome.icmp->code = 1;
  EXPECT_EQ(judge_deny(kReject, unreachable, &through).verdict, Verdict::inconclusive);
  EXPECT_EQ(judge_deny({How::drop, "host", {}, {}, "192.168.17.99"}, at_the_guard(), &through).verdict,
            Verdict::inconclusive);
}

proof::Passage& at_hook(engine::Evidence& e, proof::Hook hook, const char* verdict) {
  proof::Passage& passage = e.kernel.passages.emplace_back();
  passage.node = "host";
  passage.hook = hook;
  passage.verdict = verdict;
  return passage;
}

void expect_open(const engine::Evidence& evidence, const char* why) {
  const engine::Evidence through = control();
  const auto judged = judge_deny(kAny, evidence, &through);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive) << judged.observed;
  EXPECT_THAT(judged.observed, ::testing::HasSubstr(why));
}

TEST(DenyJudgement, NamesTheRuleThatStoppedIt) {
  const engine::Evidence through = control();
  engine::Evidence e = at_the_guard();
  proof::RuleMet rule;
  rule.family = "ip";
  rule.table = "filter";
  rule.chain = "FORWARD";
  rule.number = 7;
  rule.text = "ip daddr 10.0.0.0/8 drop";
  rule.verdict = "drop";
  at_hook(e, proof::Hook::forward, "drop").rules.push_back(rule);
  const auto judged = judge_deny(kAny, e, &through);
  EXPECT_EQ(judged.verdict, Verdict::pass);
  EXPECT_THAT(judged.observed,
              ::testing::StartsWith("dropped by rule of host's ip filter FORWARD (handle 7): ip daddr"));
  EXPECT_EQ(judge_deny(kReject, e, &through).verdict, Verdict::fail);
}

TEST(DenyJudgement, IsOpenWhereTheGuardLetACopyGo) {
  engine::Evidence e = at_the_guard();
  at_hook(e, proof::Hook::forward, "drop");
  at_hook(e, proof::Hook::postrouting, "accept").oif = "ens5";
  expect_open(e, "host let it pass all its rules towards ens5");
}

TEST(DenyJudgement, ABridgesRuleStopsWhatHasPassedIpsHooks) {
  const engine::Evidence through = control();
  engine::Evidence e = at_the_guard();
  at_hook(e, proof::Hook::postrouting, "accept").oif = "bridge0";
  at_hook(e, proof::Hook::output, "drop").bridge = true;
  EXPECT_EQ(judge_deny(kAny, e, &through).verdict, Verdict::pass);
}

TEST(DenyJudgement, IsOpenWhereTheGuardTookItForItself) {
  engine::Evidence e = at_the_guard();
  at_hook(e, proof::Hook::input, "accept");
  expect_open(e, "host took it itself");
}

TEST(DenyJudgement, IsOpenWhereItVanishedBehindAHook) {
  engine::Evidence e = at_the_guard();
  at_hook(e, proof::Hook::forward, "");
  expect_open(e, "nothing tells what became of it");
}

TEST(DenyJudgement, IsOpenWhereTheKernelLostItByAccident) {
  engine::Evidence e = at_the_guard();
  proof::Drop& drop = e.kernel.drops.emplace_back();
  drop.node = "host";
  drop.reason = "QDISC_DROP";
  drop.function = "pfifo_enqueue";
  expect_open(e, "QDISC_DROP");
  drop.reason = "IP_RPFILTER";
  const engine::Evidence through = control();
  EXPECT_EQ(judge_deny(kAny, e, &through).verdict, Verdict::pass) << "a decision about where packets may go";
}

TEST(DenyJudgement, IsOpenWhereReportsOfTheGuardWereLost) {
  engine::Evidence e = at_the_guard();
  e.kernel.nodes.push_back({"host", "the kernel had no room for all its reports", true, true});
  expect_open(e, "the trace of host is incomplete");
}

TEST(DenyJudgement, AnIcmpErrorThatRefusesNothingIsNoDenial) {
  engine::Evidence e = rejected();
  e.outcome.icmp->type = 11;
  e.outcome.icmp->code = 0;
  expect_open(e, "which refuses nothing");
  e.outcome.icmp->type = 3;
  e.outcome.icmp->code = 4;
  expect_open(e, "which refuses nothing");
}

TEST(DenyJudgement, IsNotProvenWhereTheGuardPassedTheFrameOnToAnother) {
  const engine::Evidence through = control();
  engine::Evidence e = at_the_guard();
  e.to = {"10.1.2.3", *IpAddress::parse("10.1.2.3"), "internal"};
  add(e, Leg::forward, "host", "ens4", Direction::out);
  Denial denial = kAny;
  denial.bridges = {"bridge0"};
  denial.ports = {{"ens4", "gateway"}};
  const auto judged = judge_deny(denial, e, &through);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive) << judged.observed;
  EXPECT_THAT(judged.observed, HasSubstr("by host:ens4 to gateway"));
}

TEST(DenyJudgement, WhatWentAsAFrameToAContainerHasNotLeftForAnAddressThatNobodyHolds) {
  const engine::Evidence through = control();
  engine::Evidence e = at_the_guard();
  e.to = {"10.1.2.3", *IpAddress::parse("10.1.2.3"), ""};
  add(e, Leg::forward, "host", "veth2", Direction::out);
  Denial denial = kAny;
  denial.bridges = {"bridge0"};
  denial.ports = {{"veth2", "container-two"}};
  EXPECT_EQ(judge_deny(denial, e, &through).verdict, Verdict::fail);
  denial.containers = {"container-two"};
  const auto judged = judge_deny(denial, e, &through);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive) << judged.observed;
  EXPECT_THAT(judged.observed, HasSubstr("by host:veth2 to container-two"));
}

TEST(DenyJudgement, WhatABridgesOwnDeviceSendsHasNotLeft) {
  const engine::Evidence through = control();
  engine::Evidence e = at_the_guard();
  add(e, Leg::forward, "host", "bridge0", Direction::out);
  EXPECT_EQ(judge_deny(kAny, e, &through).verdict, Verdict::fail);
  EXPECT_EQ(judge_deny({How::any, "host", {"bridge0"}, {}, ""}, e, &through).verdict, Verdict::pass);
}

TEST(DenyJudgement, IsInconclusiveWhereAMissingRouteWouldLookTheSame) {
  const engine::Evidence through = control();
  engine::Evidence unreachable = rejected();
  unreachable.outcome.icmp->code = 0;
  const auto judged = judge_deny(kReject, unreachable, &through);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive);
  EXPECT_THAT(judged.observed, HasSubstr("that has no route"));
  unreachable.outcome.icmp = traffic::IcmpError{1, 0, true, *IpAddress::parse("fd00:99::1")};
  EXPECT_EQ(judge_deny(kReject, unreachable, &through).verdict, Verdict::inconclusive);
  unreachable.outcome.icmp->code = 4;  // port unreachable, as REJECT says
  EXPECT_EQ(judge_deny(kReject, unreachable, &through).verdict, Verdict::pass);
}

TEST(DenyJudgement, AResetToTheGuardsOwnProbeThatNobodySawProvesNothing) {
  engine::Evidence own = evidence();
  own.from = "host";
  own.outcome.status = Status::refused;
  const engine::Evidence through = control_of_lan_peer();
  EXPECT_EQ(judge_deny(kReject, own, &through).verdict, Verdict::inconclusive);
}

TEST(DenyJudgement, OfASilentPingToTheGuardItselfIsInconclusive) {
  const engine::Evidence through = control();
  engine::Evidence ping = at_the_guard();
  ping.to.node = "host";
  ping.with = {};
  EXPECT_EQ(judge_deny(kDrop, ping, &through).verdict, Verdict::inconclusive);
}

TEST(DenyJudgement, ToTheGuardItselfAnAnswerIsTheLeak) {
  const engine::Evidence through = control();
  engine::Evidence to_host = at_the_guard();
  to_host.to.node = "host";
  EXPECT_EQ(judge_deny(kAny, to_host, &through).verdict, Verdict::pass);
  add(to_host, Leg::reply, "host", "veth1", Direction::out, "192.168.99.1", "192.168.99.11");
  EXPECT_EQ(judge_deny(kAny, to_host, &through).verdict, Verdict::fail);
}

}  // namespace
}  // namespace plumbline::checks
