#include "checks/logged.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"
#include "checks/testing_kernel.hpp"

namespace plumbline::checks {
namespace {

using engine::Evidence;
using engine::Verdict;
using proof::Hook;
using proof::Leg;
using testing::HasSubstr;

const LoggedPromise kLogged{"host", "[FORWARD] ", "bridge0", "ens4", "accept", false};
const LoggedPromise kNever{"host", "[FORWARD] ", {}, {}, "", true};

Evidence logged(const std::string& prefix = "[FORWARD] ", const std::string& verdict = "accept") {
  Evidence e = testing_support::there_and_back();
  testing_support::trace_host(e);
  testing_support::pass(e, Hook::prerouting);
  testing_support::log(testing_support::pass(e, Hook::forward, Leg::forward, verdict), prefix);
  return e;
}

TEST(LoggedJudgement, PassesAndShowsTheLine) {
  const auto judgement = judge_logged(kLogged, logged());
  EXPECT_EQ(judgement.verdict, Verdict::pass);
  EXPECT_EQ(judgement.observed, "[FORWARD] IN=bridge0 OUT=ens4 SRC=192.168.99.11 DST=203.0.113.80 accept");
}

TEST(LoggedJudgement, FailsOnAnyOtherLine) {
  EXPECT_EQ(judge_logged(kLogged, logged("[FORWARD]")).verdict, Verdict::fail);
  EXPECT_EQ(judge_logged(kLogged, logged("[FORWARD] ", "drop")).verdict, Verdict::fail);
  LoggedPromise other = kLogged;
  other.oif = "ens5";
  EXPECT_EQ(judge_logged(other, logged()).verdict, Verdict::fail);
  other = kLogged;
  other.iif = "ens5";
  EXPECT_EQ(judge_logged(other, logged()).verdict, Verdict::fail);
  Evidence only_the_answer = testing_support::there_and_back();
  testing_support::trace_host(only_the_answer);
  testing_support::log(testing_support::pass(only_the_answer, Hook::forward, Leg::reply), "[FORWARD] ");
  EXPECT_THAT(judge_logged(kLogged, only_the_answer).observed, HasSubstr("no rule of host logged it"));
}

TEST(LoggedJudgement, IsInconclusiveWhereTheEndIsNotKnown) {
  EXPECT_EQ(judge_logged(kLogged, logged("[FORWARD] ", "")).verdict, Verdict::inconclusive);
  LoggedPromise any = kLogged;
  any.verdict.clear();
  EXPECT_EQ(judge_logged(any, logged("[FORWARD] ", "")).verdict, Verdict::pass);
}

TEST(LoggedJudgement, IsInconclusiveWithoutAWholeReport) {
  Evidence refused = logged();
  refused.kernel.nodes[0].problem = "refused";
  EXPECT_EQ(judge_logged(kLogged, refused).verdict, Verdict::inconclusive);
  EXPECT_EQ(judge_logged(kNever, refused).verdict, Verdict::inconclusive);
}

TEST(LoggedJudgement, NeverNeedsAProbeThatWasThere) {
  EXPECT_EQ(judge_logged(kNever, logged("[OTHER] ")).verdict, Verdict::pass);
  EXPECT_EQ(judge_logged(kNever, logged()).verdict, Verdict::fail);
  Evidence lost = testing_support::evidence();
  testing_support::trace_host(lost);
  testing_support::add(lost, Leg::forward, "container-one", "eth0", traffic::Direction::out);
  EXPECT_EQ(judge_logged(kNever, lost).verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace plumbline::checks
