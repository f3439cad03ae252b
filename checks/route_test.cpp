#include "checks/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace plumbline::checks {
namespace {

using engine::Verdict;
using testing::HasSubstr;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

RouteQuestion through_the_host() {
  return {"203.0.113.80", ip("192.168.99.11"), "bridge0", "", 0};
}

RouteFinding by_ens5() {
  RouteFinding finding;
  finding.type = "unicast";
  finding.dev = "ens5";
  finding.via = ip("192.168.17.1");
  finding.table = 88;
  return finding;
}

RouteFinding refused(int error) {
  RouteFinding finding;
  finding.error = error;
  return finding;
}

TEST(RouteText, SaysWhatTheKernelSays) {
  EXPECT_EQ(to_text(through_the_host(), by_ens5()),
            "203.0.113.80 from 192.168.99.11 iif bridge0: via 192.168.17.1 dev ens5 table 88");
  RouteFinding own;
  own.type = "local";
  own.dev = "lo";
  own.table = 255;
  own.source = ip("192.168.99.1");
  EXPECT_EQ(to_text({"192.168.99.1", std::nullopt, "", "lo", 0x51}, own),
            "192.168.99.1 oif lo mark 0x51: local dev lo table local src 192.168.99.1");
  EXPECT_EQ(to_text({"10.1.2.3", std::nullopt, "", "", 0}, refused(ENETUNREACH)),
            "10.1.2.3: network unreachable");
}

TEST(RouteJudgement, JudgesOnlyWhatIsPromised) {
  RoutePromise promise;
  promise.dev = "ens5";
  EXPECT_EQ(judge_route(promise, through_the_host(), by_ens5()).verdict, Verdict::pass);
  promise.table = 88;
  promise.via = ip("192.168.17.1");
  promise.type = "unicast";
  EXPECT_EQ(judge_route(promise, through_the_host(), by_ens5()).verdict, Verdict::pass);
}

TEST(RouteJudgement, FailsWhereOneThingDiffers) {
  RoutePromise promises[6];
  promises[0].dev = "ens4";
  promises[1].via = ip("192.168.16.1");
  promises[2].on_link = true;
  promises[3].table = 254;
  promises[4].type = "local";
  promises[5].source = ip("192.168.17.10");
  for (const RoutePromise& promise : promises) {
    EXPECT_EQ(judge_route(promise, through_the_host(), by_ens5()).verdict, Verdict::fail);
  }
  RoutePromise error;
  error.error = ENETUNREACH;
  EXPECT_EQ(judge_route(error, through_the_host(), by_ens5()).verdict, Verdict::fail);
}

TEST(RouteJudgement, FailsWhereTheKernelRefuses) {
  RoutePromise promise;
  promise.dev = "ens5";
  RouteFinding finding = refused(EHOSTUNREACH);
  finding.forwarding_off = true;
  const auto judged = judge_route(promise, through_the_host(), finding);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("forwarding is off on bridge0"));
}

TEST(RouteJudgement, TypesThatRefuseAreKnownByTheirError) {
  const RouteQuestion question{"10.1.2.3", std::nullopt, "", "", 0};
  for (const auto& [type, error] :
       {std::pair("blackhole", EINVAL), {"unreachable", EHOSTUNREACH}, {"prohibit", EACCES}}) {
    RoutePromise promise;
    promise.type = type;
    EXPECT_EQ(judge_route(promise, question, refused(error)).verdict, Verdict::pass) << type;
    EXPECT_EQ(judge_route(promise, question, refused(ENETUNREACH)).verdict, Verdict::fail) << type;
    RoutePromise word;
    word.error = error;
    EXPECT_EQ(judge_route(word, question, refused(error)).verdict, Verdict::pass) << type;
  }
}

TEST(RouteJudgement, ARefusalWithAnotherReasonProvesNoRoute) {
  RoutePromise unreachable;
  unreachable.type = "unreachable";
  RouteFinding off = refused(EHOSTUNREACH);
  off.forwarding_off = true;
  EXPECT_EQ(judge_route(unreachable, through_the_host(), off).verdict, Verdict::inconclusive);
  RoutePromise blackhole;
  blackhole.type = "blackhole";
  for (const int error : {EINVAL, EXDEV}) {
    const auto judged = judge_route(blackhole, through_the_host(), refused(error));
    EXPECT_EQ(judged.verdict, Verdict::inconclusive);
    EXPECT_THAT(judged.observed, HasSubstr("rp_filter"));
  }
  RoutePromise none;
  none.error = ENETUNREACH;
  RouteFinding foreign = refused(ENETUNREACH);
  foreign.foreign_source = true;
  const RouteQuestion question{"203.0.113.80", ip("198.51.100.9"), "", "", 0};
  EXPECT_EQ(judge_route(none, question, foreign).verdict, Verdict::inconclusive);
}

TEST(RouteJudgement, HostUnreachableMayBePromisedOfAHostThatDoesNotForward) {
  RoutePromise promise;
  promise.error = EHOSTUNREACH;
  RouteFinding off = refused(EHOSTUNREACH);
  off.forwarding_off = true;
  EXPECT_EQ(judge_route(promise, through_the_host(), off).verdict, Verdict::pass);
}

}  // namespace
}  // namespace plumbline::checks
