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

TEST(LoggedJudgement, NeverIsInconclusiveWhereALogMayGoUnseen) {
  const std::string unseen = "the rule x logs so";
  EXPECT_EQ(judge_logged(kNever, logged("[OTHER] "), unseen).verdict, Verdict::inconclusive);
  EXPECT_THAT(judge_logged(kNever, logged("[OTHER] "), unseen).observed, HasSubstr(unseen));
  EXPECT_EQ(judge_logged(kNever, logged(), unseen).verdict, Verdict::fail);
}

TEST(UnseenLog, IsOneThatTheTraceDoesNotVouchFor) {
  using kernel::nft::Hook;
  const auto with = [](const char* chain, const kernel::nft::ListedRule& rule) {
    kernel::nft::Listing listing;
    listing.chains[{"inet", "t", "late"}] = {Hook::forward, -300};
    listing.chains[{"inet", "t2", "early"}] = {Hook::forward, -501};
    listing.elsewhere.insert({"inet", "t3", "ingress"});
    const std::string name = chain;
    const std::string table = name.ends_with("2") || name == "early"     ? "t2"
                              : name.ends_with("3") || name == "ingress" ? "t3"
                                                                         : "t";
    listing.rules[{"inet", table, name, 1}] = rule;
    return listing;
  };
  kernel::nft::ListedRule rule;
  rule.text = "log prefix x";
  rule.logs = {"x"};
  for (const char* seen : {"late", "user"}) EXPECT_EQ(unseen_log(with(seen, rule), false, "x"), std::nullopt);
  for (const char* unseen : {"early", "user2", "ingress", "user3"}) {
    EXPECT_THAT(unseen_log(with(unseen, rule), false, "x").value_or(""), HasSubstr("`log prefix x`"))
        << unseen;
    EXPECT_EQ(unseen_log(with(unseen, rule), false, "y"), std::nullopt);
  }
  kernel::nft::Listing bridge;
  bridge.rules[{"bridge", "t", "late", 1}] = rule;
  EXPECT_NE(unseen_log(bridge, false, "x"), std::nullopt);
  kernel::nft::ListedRule twice = rule;
  twice.logs = {"x", "z"};
  EXPECT_NE(unseen_log(with("late", twice), false, "x"), std::nullopt);
  rule.may_break_after_log = true;
  EXPECT_NE(unseen_log(with("late", rule), false, "x"), std::nullopt);
  kernel::nft::ListedRule unmarks;
  unmarks.unmarks = true;
  EXPECT_EQ(unseen_log(with("late", unmarks), false, "x"), std::nullopt);
  EXPECT_NE(unseen_log(with("late", unmarks), true, "x"), std::nullopt);
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
