#include "checks/hooks.hpp"

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

const HooksPromise kForwarded{"host", {Hook::prerouting, Hook::forward, Hook::postrouting}, {}};

Evidence forwarded() {
  Evidence e = testing_support::there_and_back();
  testing_support::trace_host(e);
  testing_support::pass_all(e, Leg::forward);
  testing_support::pass_all(e, Leg::reply);
  testing_support::pass_all(e, Leg::forward);  // the next packet of a connection
  return e;
}

TEST(HooksJudgement, PassesByTheFirstPacket) {
  EXPECT_EQ(judge_hooks(kForwarded, forwarded()).verdict, Verdict::pass);
  HooksPromise both = kForwarded;
  both.reply = both.expect;
  EXPECT_EQ(judge_hooks(both, forwarded()).verdict, Verdict::pass);
}

TEST(HooksJudgement, FailsOnOtherHooks) {
  const auto wrong = judge_hooks({"host", {Hook::prerouting, Hook::input}, {}}, forwarded());
  EXPECT_EQ(wrong.verdict, Verdict::fail);
  EXPECT_THAT(wrong.observed, HasSubstr("prerouting, forward, postrouting"));
  EXPECT_EQ(judge_hooks({"host", kForwarded.expect, std::vector<Hook>{}}, forwarded()).verdict,
            Verdict::fail);
}

TEST(HooksJudgement, FailsWhereTheProbeNeverCame) {
  Evidence e = testing_support::evidence();
  testing_support::trace_host(e);
  e.outcome.status = traffic::ProbeOutcome::Status::local_error;
  e.outcome.error_number = 101;
  EXPECT_EQ(judge_hooks(kForwarded, e).verdict, Verdict::fail);
}

TEST(HooksJudgement, NoHooksAreProvenOnlyByAProbeThatWasThereOrArrived) {
  const HooksPromise none{"host", {}, {}};
  const HooksPromise not_even_of_the_answer{"host", {}, std::vector<Hook>{}};
  Evidence unsent = testing_support::evidence();
  testing_support::trace_host(unsent);
  unsent.outcome.status = traffic::ProbeOutcome::Status::local_error;
  unsent.outcome.error_number = 101;
  Evidence lost = testing_support::evidence();
  testing_support::trace_host(lost);
  testing_support::add(lost, Leg::forward, "container-one", "eth0", traffic::Direction::out);
  for (const HooksPromise& promise : {none, not_even_of_the_answer}) {
    for (const Evidence& e : {unsent, lost}) {
      const auto judged = judge_hooks(promise, e);
      EXPECT_EQ(judged.verdict, Verdict::inconclusive) << judged.observed;
      EXPECT_THAT(judged.observed, HasSubstr("it got neither to host nor to its target"));
    }
    Evidence bridged = lost;
    testing_support::add(bridged, Leg::forward, "host", "veth1", traffic::Direction::in);
    EXPECT_EQ(judge_hooks(promise, bridged).verdict, Verdict::pass);
    Evidence delivered = lost;
    delivered.delivered_to = "internet";
    EXPECT_EQ(judge_hooks(promise, delivered).verdict, Verdict::pass);
    Evidence answered = lost;
    answered.outcome.status = traffic::ProbeOutcome::Status::replied;
    EXPECT_EQ(judge_hooks(promise, answered).verdict, Verdict::pass);
  }
}

TEST(HooksJudgement, IsInconclusiveWithoutAWholeReport) {
  Evidence untraced = forwarded();
  untraced.kernel.nodes.clear();
  EXPECT_EQ(judge_hooks(kForwarded, untraced).verdict, Verdict::inconclusive);
  Evidence refused = forwarded();
  refused.kernel.nodes[0].problem = "refused";
  EXPECT_EQ(judge_hooks(kForwarded, refused).verdict, Verdict::inconclusive);
  Evidence silent = forwarded();
  silent.kernel.nodes[0].alive = false;
  EXPECT_EQ(judge_hooks(kForwarded, silent).verdict, Verdict::inconclusive);
  Evidence lossy = forwarded();
  lossy.journey.complete = false;
  EXPECT_EQ(judge_hooks(kForwarded, lossy).verdict, Verdict::inconclusive);
  Evidence unseen = testing_support::evidence();
  testing_support::trace_host(unseen);
  EXPECT_EQ(judge_hooks({"host", {}, {}}, unseen).verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace plumbline::checks
